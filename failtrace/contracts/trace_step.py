"""A step: one OpenTelemetry span of an execution, flattened."""

from enum import StrEnum

from pydantic import Field

from failtrace.contracts.base import Contract, Json, Many, StepId, UtcDatetime
from failtrace.contracts.error_info import ErrorInfo


class StepKind(StrEnum):
    """What a step does, from `gen_ai.operation.name` or `openinference.span.kind`; `step` where neither says."""

    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    RETRIEVAL = "retrieval"
    EMBEDDING = "embedding"
    CHAIN = "chain"
    EVALUATOR = "evaluator"
    GUARDRAIL = "guardrail"
    STEP = "step"


class StepStatus(StrEnum):
    """OpenTelemetry's span status."""

    OK = "ok"
    ERROR = "error"
    UNSET = "unset"


class EndedBy(StrEnum):
    """What ended a step. One that never ended by itself is closed with the reason, never left open."""

    ITSELF = "itself"
    TIMEOUT = "timeout"
    PROCESS_DEATH = "process_death"
    PARENT_ENDED = "parent_ended"


class StepEvent(Contract):
    """A moment inside a step."""

    name: str
    time: UtcDatetime
    attributes: dict[str, Json] = Field(default_factory=dict)


class Dropped(Contract):
    """How much of a step did not fit its limits."""

    attributes: int = 0
    events: int = 0
    links: int = 0


class TraceStep(Contract):
    """One step, in the order of starting (`sequence`, from 0)."""

    step_id: StepId
    parent_id: StepId | None
    sequence: int
    name: str
    kind: StepKind
    started_at: UtcDatetime
    duration_ms: float
    status: StepStatus
    ended_by: EndedBy
    input: Json = None
    output: Json = None
    attributes: dict[str, Json] = Field(default_factory=dict)
    events: Many[StepEvent] = ()
    error: ErrorInfo | None = None
    dropped: Dropped = Dropped()

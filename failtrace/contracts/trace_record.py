"""The whole story of one execution."""

from typing import Literal, Self

from pydantic import model_validator

from failtrace.contracts.base import Contract, FailureId, Json, Many, StepId, TraceId, UtcDatetime
from failtrace.contracts.failure_event import FailureEvent
from failtrace.contracts.outcome import Outcome
from failtrace.contracts.trace_step import TraceStep
from failtrace.contracts.verdict import Verdict


class SubjectInfo(Contract):
    """Which subject ran."""

    name: str
    version: str | None
    source: str
    """`module:qualname` of the callable."""


class LogLine(Contract):
    """One record of Python's logging."""

    time: UtcDatetime
    level: str
    logger: str
    message: str
    step_id: StepId | None = None


class OutputTail(Contract):
    """The end of a stream: what was kept, and how much there was."""

    text: str = ""
    total_bytes: int = 0


class Logs(Contract):
    """What the execution said aside from its result."""

    lines: Many[LogLine] = ()
    stdout: OutputTail = OutputTail()
    stderr: OutputTail = OutputTail()


class Environment(Contract):
    """Where it ran."""

    python: str
    platform: str
    failtrace: str
    git_commit: str | None
    git_dirty: bool | None
    pid: int
    isolation: Literal["process", "inline"]


class Completeness(Contract):
    """An honest count of what was kept, cut, redacted and lost."""

    steps_started: int = 0
    steps_recorded: int = 0
    steps_dropped: int = 0
    logs_dropped: int = 0
    bytes_cut: int = 0
    values_redacted: int = 0
    journal_lines_torn: int = 0


class TraceRecord(Contract):
    """Everything known of one execution. `failure_id` is None exactly when `failure` is."""

    schema_version: Literal[1] = 1
    failure_id: FailureId | None
    trace_id: TraceId
    run_id: str | None
    subject: SubjectInfo
    input: Json
    output: Json
    """None unless the outcome is `returned`. The chunks, as a list, where the subject is a generator."""
    outcome: Outcome
    failure: FailureEvent | None
    verdicts: Many[Verdict]
    steps: Many[TraceStep]
    logs: Logs
    environment: Environment
    completeness: Completeness
    attributes: dict[str, Json]
    """The user's own tags."""
    started_at: UtcDatetime
    ended_at: UtcDatetime
    duration_ms: float

    @model_validator(mode="after")
    def _ids_agree(self) -> Self:
        if self.failure_id != (self.failure.failure_id if self.failure else None):
            raise ValueError("failure_id and failure must name the same failure, or both be None")
        if self.failure and self.failure.trace_id != self.trace_id:
            raise ValueError("the failure belongs to another trace_id")
        return self

"""A failure: the first failed verdict by precedence, under its own id."""

from typing import Literal

from failtrace.contracts.base import Contract, FailureId, Many, StepId, TraceId, UtcDatetime
from failtrace.contracts.error_info import ErrorInfo
from failtrace.contracts.evidence import Evidence
from failtrace.contracts.termination import Termination
from failtrace.contracts.verdict import DetectorInfo, FailureType


class FailureEvent(Contract):
    """Why an execution counts as failed."""

    schema_version: Literal[1] = 1
    failure_id: FailureId
    failure_type: FailureType
    subject: str
    run_id: str | None
    trace_id: TraceId
    step_id: StepId | None
    """The step that failed, or was open when the execution ended; None outside every step."""
    message: str
    error: ErrorInfo | None
    termination: Termination | None
    """None where the process ended by itself."""
    evidence: Many[Evidence]
    detector: DetectorInfo
    fingerprint: str
    """16 hex digits; failures of one cause share it."""
    fingerprint_parts: Many[str]
    """What was hashed, so that a person sees why two failures are one group."""
    occurred_at: UtcDatetime
    duration_ms: float

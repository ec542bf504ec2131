"""What detectors read: an execution as it was captured, before anybody judged it."""

from dataclasses import dataclass
from typing import Any, Protocol

from failtrace.contracts import ErrorInfo, Json, Outcome, TraceStep, Verdict
from failtrace.subjects.limits import Breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One execution, without a verdict."""

    subject: str
    input: Json
    output: Json
    outcome: Outcome
    error: ErrorInfo | None = None
    """What the subject raised: a `raised` outcome's error, and that of a subject that raised after its deadline."""
    breach: Breach | None = None
    """The limit of the subject's that was met."""
    steps: tuple[TraceStep, ...]
    contract: dict[str, Any] | None
    """None without a contract; else `violations` (fields of ContractViolation), or why not: `errored`, `unjudged`."""
    evidence: dict[str, Any] | None
    """None without an evidence source; else `texts` with `cut` (there was more), or `errored` with the reason."""


class Detector(Protocol):
    """Gives one verdict about one execution. One that raises becomes an `errored` verdict; the others go on."""

    name: str
    version: str

    def detect(self, observation: Observation) -> Verdict:
        """The verdict; deterministic, and fast beside the execution itself."""
        ...

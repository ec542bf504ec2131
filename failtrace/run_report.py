"""What a run came to, execution by execution."""

from dataclasses import dataclass
from datetime import datetime

from failtrace.contracts import FailureType
from failtrace.mirror.views import RunState


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """One execution that ended, in short."""

    trace_id: str
    failure_id: str | None
    subject: str
    outcome: str
    failure_type: FailureType | None
    message: str
    duration_ms: float
    stored: bool
    """True only after the record was read back by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run came to."""

    run_id: str
    state: RunState
    started_at: datetime
    elapsed_s: float
    results: tuple[ExecutionResult, ...]
    """In the order of ending."""
    not_run: int
    """Executions that were asked for and never ended: the run was stopped first."""
    errored: int = 0
    """Executions that failtrace itself could not carry out; `problems` says why."""
    pending: int
    """Failures that the store has not confirmed yet."""
    pending_why: str = ""
    """What keeps them from the store, as far as that is known."""
    problems: tuple[str, ...] = ()
    """What failtrace itself could not do, one sentence each; never a subject's failure."""

    @property
    def executions(self) -> int:
        """How many ended."""
        return len(self.results)

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(1 for result in self.results if result.failure_type is not None)

    @property
    def passed(self) -> int:
        """How many passed."""
        return self.executions - self.failed

    @property
    def stored(self) -> int:
        """How many were read back by their id."""
        return sum(1 for result in self.results if result.stored)

    @property
    def by_type(self) -> dict[FailureType, int]:
        """Failures by type, those that occurred."""
        found = [result.failure_type for result in self.results if result.failure_type is not None]
        return {kind: found.count(kind) for kind in FailureType if kind in found}

"""The detector of ends: exceptions, deadlines and dead processes."""

from failtrace.contracts import (
    Crashed,
    DeadlineExceeded,
    DetectorInfo,
    ErrorInfo,
    FailureType,
    Raised,
    Termination,
    TimedOut,
    Verdict,
    VerdictStatus,
)
from failtrace.detection.observation import Observation
from failtrace.subjects.limits import Breach


def _told(error: ErrorInfo) -> str:
    """The error in a line; for a group with its first member, which says more than the group."""
    first = f" ({_told(error.exceptions[0])})" if error.exceptions else ""
    return f"{error.type}: {error.message}{first}" if error.message else error.type + first


def _where(observation: Observation, end: Termination | None) -> str:
    """The step that was open at the end, as a sentence of its own."""
    open_step = next((step.name for step in observation.steps if end and step.step_id == end.last_open_step_id), None)
    return f" The open step was {open_step!r}." if open_step is not None else ""


class TerminationDetector:
    """Failed where the subject raised, ran into its deadline, or died."""

    name = "termination"
    version = "1"

    def detect(self, observation: Observation) -> Verdict:
        """Passed exactly when the subject returned."""
        outcome = observation.outcome
        if isinstance(outcome, Raised):
            limit = f". {observation.breach.sentence()}" if observation.breach else ""
            return self._failed(FailureType.EXCEPTION, _told(outcome.error) + limit)
        if isinstance(outcome, Crashed):
            return self._failed(FailureType.EXCEPTION, outcome.reason + _where(observation, outcome.termination))
        if isinstance(outcome, TimedOut):
            late = DeadlineExceeded(limit_s=outcome.limit_s, elapsed_s=outcome.elapsed_s, stacks=outcome.stacks)
            reason = self._why_late(outcome, observation.breach) + _where(observation, outcome.termination)
            if observation.error is not None:
                reason += f" It then raised {_told(observation.error)}"
            return self._failed(FailureType.TIMEOUT, reason, late)
        return Verdict(detector=self._info(), status=VerdictStatus.PASSED, reason="The subject returned.")

    @staticmethod
    def _why_late(outcome: TimedOut, breach: Breach | None) -> str:
        if breach is not None:
            return breach.sentence()
        if outcome.enforced:
            unseen = "" if outcome.stacks else "; its stacks could not be written"
            return f"Ended at its limit of {outcome.limit_s:g} s{unseen}."
        return (
            f"The subject took {outcome.elapsed_s:.3g} s and its limit is {outcome.limit_s:g} s; "
            "it ran inside its caller's process, where nothing could end it earlier."
        )

    def _failed(self, failure_type: FailureType, reason: str, *evidence: DeadlineExceeded) -> Verdict:
        return Verdict(
            detector=self._info(),
            status=VerdictStatus.FAILED,
            reason=reason,
            failure_type=failure_type,
            evidence=evidence,
        )

    def _info(self) -> DetectorInfo:
        return DetectorInfo(name=self.name, version=self.version)

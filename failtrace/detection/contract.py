"""The detector of broken output contracts. The check itself ran in the subject's process, on the real object."""

from failtrace.contracts import ContractViolation, DetectorInfo, FailureType, Verdict, VerdictStatus
from failtrace.detection.observation import Observation


class ContractDetector:
    """Failed where the output violates the subject's contract."""

    name = "contract"
    version = "1"

    def detect(self, observation: Observation) -> Verdict:
        """Abstains without a contract or an output, and where to look at the output would have used it up."""
        checked = observation.contract
        if checked is None:
            return self._verdict(VerdictStatus.ABSTAINED, "There is no output to check or no contract to hold it to.")
        if "unjudged" in checked:
            return self._verdict(VerdictStatus.ABSTAINED, checked["unjudged"])
        if "errored" in checked:
            return self._verdict(VerdictStatus.ERRORED, checked["errored"])
        violations = tuple(ContractViolation(**violation) for violation in checked["violations"])
        if not violations:
            return self._verdict(VerdictStatus.PASSED, "The output fits its contract.")
        first = violations[0]
        rest = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
        return Verdict(
            detector=DetectorInfo(name=self.name, version=self.version),
            status=VerdictStatus.FAILED,
            reason=f"The output breaks its contract at {first.location} ({first.rule}): {first.message}{rest}.",
            failure_type=FailureType.VALIDATION_ERROR,
            evidence=violations,
        )

    def _verdict(self, status: VerdictStatus, reason: str) -> Verdict:
        return Verdict(detector=DetectorInfo(name=self.name, version=self.version), status=status, reason=reason)

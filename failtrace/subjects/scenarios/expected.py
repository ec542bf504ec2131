"""What each scenario must come to, whenever and wherever it runs."""

from dataclasses import dataclass

from failtrace.contracts import FailureType


@dataclass(frozen=True, slots=True)
class Expectation:
    """The failure of one scenario on its first failing example input."""

    failure_type: FailureType | None
    step: str | None
    """Name of the failing step."""
    fingerprint: str | None


EXPECTED: dict[str, Expectation] = {}

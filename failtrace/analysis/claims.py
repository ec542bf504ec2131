"""Whether evidence contradicts a flagged claim, or merely does not hold it."""

from typing import Final

from failtrace.analysis.negation import denies
from failtrace.contracts import DetectorInfo, UnsupportedClaim

_GROUNDING: Final = ("grounding", "1")
_RIVAL: Final = 0.85
_OPPOSITE: Final = 0.8
"""How sure that detector is of a value that stands otherwise in the evidence, and of a sentence that says the opposite.

A quotation has the second score too; it differs from its evidence by more than a denial.
"""


def is_contradicted(claim: UnsupportedClaim, detector: DetectorInfo) -> bool:
    """Whether the nearest evidence says something else in the claim's place, as far as the flag tells."""
    if (detector.name, detector.version) != _GROUNDING or not claim.nearest_evidence:
        return False
    return claim.score == _RIVAL or (claim.score == _OPPOSITE and denies(claim.text) != denies(claim.nearest_evidence))

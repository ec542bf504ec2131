"""Whether evidence contradicts a flagged claim, or merely does not hold it."""

import re
from typing import Final

from failtrace.contracts import DetectorInfo, UnsupportedClaim

_GROUNDING: Final = ("grounding", "1")
_RIVAL: Final = 0.85
_OPPOSITE: Final = 0.8
"""How sure that detector is of a value that stands otherwise in the evidence, and of a sentence that says the opposite.

A quotation has the second score too; it differs from its evidence by more than a denial.
"""
_NEGATION: Final = re.compile(r"\b(?:not|never|no|cannot|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)


def is_contradicted(claim: UnsupportedClaim, detector: DetectorInfo) -> bool:
    """Whether the nearest evidence says something else in the claim's place, as far as the flag tells."""
    if (detector.name, detector.version) != _GROUNDING or not claim.nearest_evidence:
        return False
    return claim.score == _RIVAL or (
        claim.score == _OPPOSITE and _denies(claim.text) != _denies(claim.nearest_evidence)
    )


def _denies(text: str) -> bool:
    return len(_NEGATION.findall(text)) % 2 == 1

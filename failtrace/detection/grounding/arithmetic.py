"""Numbers that the output works out from numbers that evidence holds: `3 items at $5 each come to $15`."""

import re
from collections.abc import Sequence
from itertools import accumulate, combinations

from failtrace.detection.grounding.claims import Claim
from failtrace.detection.grounding.quantities import Quantity

_TOTAL = re.compile(r"\b(?:total|sum|altogether|combined|in all|overall)\b", re.IGNORECASE)
_OPERANDS = 8


def worked_out(claim: Claim, held: Sequence[Claim]) -> bool:
    """Is it the sum, difference or product of two held numbers beside it, or a total of those before it?"""
    if not isinstance(claim.mention, Quantity):
        return False
    value = claim.mention.value
    operands = [(other, other.mention.value) for other in held if isinstance(other.mention, Quantity)]
    beside = [number for other, number in operands if other.sentence == claim.sentence]
    for left, right in combinations(beside[:_OPERANDS], 2):
        if value in (left + right, abs(left - right), left * right):
            return True
    if not _TOTAL.search(claim.sentence.text):
        return False
    before = [number for other, number in operands if other.start < claim.start]
    return value in accumulate(reversed(before))

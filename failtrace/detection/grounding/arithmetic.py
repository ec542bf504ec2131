"""Numbers that the output works out from numbers that evidence holds: `3 items at $5 each come to $15`."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate, combinations

from failtrace.detection.grounding.claims import Claim
from failtrace.detection.grounding.quantities import Quantity

_RESULT = re.compile(
    r"\b(?:totals?|sum|altogether|combined|in all|overall|differences?|refund(?:ed)?|sav(?:e|es|ings?)|remaining|left"
    r"|balance|change|amount)\b",
    re.IGNORECASE,
)
_OPERANDS = 8


def worked_out(claim: Claim, held: Sequence[Claim], values: Iterable[Decimal]) -> bool:
    """Is the number what two held numbers of its sentence give (sum, difference, product)?

    Where the sentence speaks of a result (`total`, `difference`, `refund`), it may also be the sum or difference of
    any two `values` of the evidence, or the sum of the held numbers of its kind right before or right after it.
    """
    if not isinstance(claim.mention, Quantity):
        return False
    value, nature = claim.mention.value, claim.mention.nature
    operands = [(other, other.mention) for other in held if isinstance(other.mention, Quantity)]
    beside = [number.value for other, number in operands if other.sentence == claim.sentence]
    for left, right in combinations(beside[:_OPERANDS], 2):
        if value in (left + right, abs(left - right), left * right):
            return True
    if not _RESULT.search(claim.sentence.text):
        return False
    known = set(values)
    if any(value + one in known or (value - one in known and value != 2 * one) for one in known):
        return True
    before = [number.value for other, number in operands if other.start < claim.start and number.nature == nature]
    after = [number.value for other, number in operands if other.start > claim.start and number.nature == nature]
    return value in accumulate(reversed(before)) or value in accumulate(after)

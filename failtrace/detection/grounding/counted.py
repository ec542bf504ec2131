"""The numbers, dates and times of the evidence: is one held, and what stands in a sentence?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from failtrace.detection.grounding.dates import DateMention, TimeMention
from failtrace.detection.grounding.quantities import Quantity

Counted = Quantity | DateMention | TimeMention

_MAX_SCANNED = 10_000
"""Distinct numbers compared one by one for rounding and conversion; equal values are found however many there are."""


def agrees(mention: Counted, held: Counted) -> bool:
    """Does `held`, of the evidence, hold `mention`?"""
    if isinstance(mention, Quantity):
        return isinstance(held, Quantity) and mention.agrees(held)
    if isinstance(mention, DateMention):
        return isinstance(held, DateMention) and mention.agrees(held)
    return isinstance(held, TimeMention) and mention.agrees(held)


def rivals(mention: Counted, held: Counted) -> bool:
    """Could `held` stand in the place of `mention`, and says something else? Small number words never do."""
    if isinstance(mention, Quantity):
        alike = isinstance(held, Quantity) and not held.spelled and mention.nature == held.nature
    else:
        alike = type(mention) is type(held)
    return alike and not agrees(mention, held)


class CountedIndex:
    """Built once from all mentions of the evidence, each with the number of its sentence."""

    def __init__(self, mentions: Iterable[tuple[Counted, int]]) -> None:
        self._at: defaultdict[int, list[Counted]] = defaultdict(list)
        self._quantities: defaultdict[Decimal, dict[object, Quantity]] = defaultdict(dict)
        self._others: dict[object, DateMention | TimeMention] = {}
        for mention, place in mentions:
            self._at[place].append(mention)
            if isinstance(mention, Quantity):
                self._quantities[mention.value][mention.unit, mention.years] = mention
            else:
                self._others[mention.readings] = mention

    @property
    def values(self) -> Iterable[Decimal]:
        """The numbers of the evidence, each once."""
        return islice(self._quantities, _MAX_SCANNED)

    def at(self, place: int) -> Sequence[Counted]:
        """What stands in one sentence."""
        return self._at.get(place, ())

    def holds(self, mention: Counted) -> bool:
        """Does any evidence hold it? A date may stand in two places: day and month here, the year there."""
        if isinstance(mention, Quantity):
            return self._holds_quantity(mention)
        if any(agrees(mention, held) for held in islice(self._others.values(), _MAX_SCANNED)):
            return True
        return isinstance(mention, DateMention) and self._holds_parts(mention)

    def _holds_quantity(self, mention: Quantity) -> bool:
        for value in (mention.value, -mention.value):
            if any(mention.agrees(held) for held in self._quantities.get(value, {}).values()):
                return True
        return any(
            mention.agrees(held) for alike in islice(self._quantities.values(), _MAX_SCANNED) for held in alike.values()
        )

    def _holds_parts(self, mention: DateMention) -> bool:
        whole = [reading for reading in mention.readings if reading.year and reading.month]
        if not any(Decimal(reading.year or 0) in self._quantities for reading in whole):
            return False
        rest = replace(mention, readings=tuple(replace(reading, year=None, weekday=None) for reading in whole))
        return any(agrees(rest, held) for held in islice(self._others.values(), _MAX_SCANNED))

"""Numbers in a text: figures and number words, with magnitude, unit, hedge, decade or century."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from failtrace.detection.grounding.number_words import find_spelled_numbers
from failtrace.detection.grounding.text import lowered
from failtrace.detection.grounding.units import MAGNITUDES, UNITS, Unit

_MAX_DIGITS = 40
_CONVERSION_TOLERANCE = Decimal("0.03")
_PERCENT = UNITS["%"]
_YEARS = (1000, 2200)
_DECADE, _CENTURY = 10, 100

# Between which multiples of a number `about`, `over` and `under` put the true one.
_ABOUT = (Decimal("0.9"), Decimal("1.1"))
_ABOVE = (Decimal(1), Decimal("1.5"))
_BELOW = (Decimal("0.67"), Decimal(1))

# The first digit is matched before what stands left of it is looked at: a leading class lets `re` skip ahead.
_FIGURE = re.compile(
    r"(?P<digits>[0-9](?<!\w[0-9])(?<!\d\.[0-9])"
    r"(?:\d{0,2}(?:[,\u00a0\u202f]\d{3}){1,13}(?:\.\d+)?|\d{0,2}(?:\.\d{3}){2,13}|\d*(?:\.\d+)?))"
    r"(?:(?P<ordinal>st|nd|rd|th)|(?P<decade>\s?['’]s|s)|(?P<suffix>k|m|mn|bn|b|tn)|(?P<unit>[a-zµ]{1,4}))?"
    r"(?!\w|\.\d)"
)
_SEASON = re.compile(r"(?<!\d)(?P<century>1\d|20)\d\d[-–/]$")
_CENTURY_WORD = re.compile(r"[\s-](?:century|centuries)\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:(?P<currency>US\$|[$€£¥])\s?|(?<![\w)])[-−])$")
_TAIL = re.compile(r"[\s\u00a0-]{0,3}(?P<word>%|°\s?[CF]|[€£¥]|[A-Za-z]+(?:\s?/\s?[a-z]+)?)(?:\s(?P<next>[a-z]+))?")
_HEDGE = re.compile(
    r"(?:(?P<above>over|(?:more|greater|longer|higher|larger|older) than|at least|above|exceeding|minimum of)"
    r"|(?P<below>(?:less|fewer|lower|shorter|younger) than|at most|under|below|up to|nearly|almost|within|maximum of)"
    r"|about|around|approximately|roughly|some|circa|~|≈)\s?[$€£¥]?\s?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as the text means it.

    `step` is the value of its last written digit (4.6 million has 100,000), `hedge` between which multiples of it
    the true number may lie, `years` how many years it names from `value` on: 10 for the 1960s, 100 for a century.
    """

    start: int
    end: int
    value: Decimal
    unit: Unit | None = None
    step: Decimal = Decimal(1)
    hedge: tuple[Decimal, Decimal] | None = None
    years: int = 0
    ordinal: bool = False
    spelled: bool = False

    def agrees(self, held: "Quantity") -> bool:
        """Does a number of the evidence hold this one, by value, rounding, decade or unit?"""
        if self.unit and held.unit and self.unit != held.unit:
            mine, theirs = self.value * self.unit.factor, held.value * held.unit.factor
            near = abs(mine - theirs) <= _CONVERSION_TOLERANCE * max(abs(mine), abs(theirs))
            return near and self.unit.dimension == held.unit.dimension
        # Words may say the sign: a difference of -60.78 is a refund of 60.78. Five below zero is not five.
        if self.value == held.value or (held.value < 0 and self.value == -held.value):
            return True
        if self.unit == _PERCENT and held.unit is None and held.value * 100 == self.value:
            return True
        if self.years:
            return self.value <= held.value < self.value + self.years
        if self.hedge and not held.years and self.value * self.hedge[0] <= held.value <= self.value * self.hedge[1]:
            return True
        return self.step != 1 and abs(self.value - held.value) * 2 <= self.step

    @property
    def nature(self) -> str:
        """What it counts; only numbers of one nature can stand in each other's place."""
        if self.unit:
            return self.unit.dimension
        if self.ordinal:
            return "ordinal"
        return "year" if self.step == 1 and _YEARS[0] <= self.value < _YEARS[1] else "count"


def find_quantities(text: str) -> list[Quantity]:
    """All numbers of `text`, by position. A numeral inside a code (`A320`, `1.2.3`) is none."""
    found: list[Quantity] = []
    for quantity in sorted([*_figures(text), *_spelled(text)], key=lambda found: (found.start, -found.end)):
        if not found or quantity.start >= found[-1].end:
            found.append(quantity)
    return found


def _figures(text: str) -> Iterator[Quantity]:
    for match in _FIGURE.finditer(text):
        digits = match["digits"]
        unit = UNITS.get(match["unit"] or "")
        if len(digits) > _MAX_DIGITS or (match["unit"] and not unit):
            continue
        start, end = match.span()
        scale = MAGNITUDES.get(match["suffix"] or "", Decimal(1))
        if end == match.end("digits"):
            scale, unit, end = _tail(text, end)
        plain = re.sub(r"[.,\u00a0\u202f]" if digits.count(".") > 1 else r"[,\u00a0\u202f]", "", digits)
        value = Decimal(plain) * scale
        step = Decimal(1).scaleb(-len(plain.partition(".")[2])) * scale if "." in plain else scale
        if lead := _LEAD.search(text, max(0, start - 5), start):
            start = lead.start()
            unit = UNITS[lead["currency"].lower()] if lead["currency"] else unit
            value = value if lead["currency"] else -value
        elif value < _CENTURY and (season := _SEASON.search(text, max(0, start - 6), start)):
            value += int(season["century"]) * 100
        ordinal = match["ordinal"] is not None
        value, years, end = _period(text, value, end, ordinal=ordinal, decade=match["decade"] is not None)
        yield Quantity(start, end, value, unit, step, _hedge(text, start), years, ordinal)


def _spelled(text: str) -> Iterator[Quantity]:
    for number in find_spelled_numbers(lowered(text)):
        scale, unit, end = Decimal(1), None, number.end
        if not (number.decade or number.ordinal):
            scale, unit, end = _tail(text, end)
        value, years, end = _period(text, number.value * scale, end, ordinal=number.ordinal, decade=number.decade)
        step, hedge = number.scale * scale, _hedge(text, number.start)
        yield Quantity(number.start, end, value, unit, step, hedge, years, number.ordinal, spelled=True)


def _period(text: str, value: Decimal, end: int, *, ordinal: bool, decade: bool) -> tuple[Decimal, int, int]:
    """First year, years and end of a decade (`the 60s`) or century (`the 20th century`); others as they are."""
    if decade and value % _DECADE == 0:
        return value + (1900 if value < _CENTURY else 0), _DECADE, end
    if ordinal and (century := _CENTURY_WORD.match(text, end)):
        return (value - 1) * _CENTURY, _CENTURY, century.end()
    return value, 0, end


def _tail(text: str, end: int) -> tuple[Decimal, Unit | None, int]:
    """Magnitude and unit written after a number, and where it ends with them."""
    match = _TAIL.match(text, end)
    if match is None:
        return Decimal(1), None, end
    word, following = match["word"].lower().replace(" ", ""), (match["next"] or "").lower()
    if word in MAGNITUDES and len(word) > 2:
        unit = UNITS.get(following)
        return MAGNITUDES[word], unit, match.end("next" if unit else "word")
    unit = UNITS.get(f"{word} {following}") or UNITS.get(word)
    return Decimal(1), unit, match.end("word") if unit else end


def _hedge(text: str, start: int) -> tuple[Decimal, Decimal] | None:
    match = _HEDGE.search(text, max(0, start - 20), start)
    if match is None:
        return None
    return _ABOVE if match["above"] else _BELOW if match["below"] else _ABOUT

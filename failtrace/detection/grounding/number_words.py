"""Numbers that words write: `twenty-one`, `two hundred and five`, `nineteen ninety-four`, `the eighties`, `half`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from failtrace.detection.grounding.units import MAGNITUDES
from failtrace.detection.grounding.vocabulary import NUMBER_ONES, NUMBER_ORDINALS, NUMBER_TENS

_LETTERS = re.compile(r"(?<![\w-])[a-z]{3,}|(?<=-)[a-z]{3,}")
_JOINS = frozenset([" ", "-", " - ", " and "])
_THOUSAND = 1000

_TENS = {word: 20 + 10 * place for place, word in enumerate(NUMBER_TENS)}
_CARDINALS = {word: value for value, word in enumerate(NUMBER_ONES)} | _TENS
_ORDINALS = {word: value for value, word in enumerate(NUMBER_ORDINALS, start=1)} | {
    word[:-1] + "ieth": value for word, value in _TENS.items()
}
_SCALES = {"hundred": 100, "dozen": 12} | {word: int(value) for word, value in MAGNITUDES.items() if len(word) > 2}
_DECADES = {word[:-1] + "ies": Decimal(1900 + value) for word, value in _TENS.items()}
_ALONE = {"half": Decimal("0.5"), "quarter": Decimal("0.25"), "twice": Decimal(2), "couple": Decimal(2)} | _DECADES
_KNOWN = frozenset([*_CARDINALS, *_ORDINALS, *_SCALES, *(scale + "s" for scale in _SCALES), *_ALONE])


@dataclass(frozen=True, slots=True)
class SpelledNumber:
    """A number in words; `scale` is what its last word counts by (`five hundred`: 100)."""

    start: int
    end: int
    value: Decimal
    scale: Decimal
    ordinal: bool
    decade: bool


def find_spelled_numbers(text: str) -> Iterator[SpelledNumber]:
    """All numbers in words of a text in small letters, by position."""
    for start, end, parts in _runs(text):
        value = _value(parts)
        if value is not None:
            last = parts[-1]
            scale = Decimal(_SCALES.get(last.removesuffix("s"), 1))
            yield SpelledNumber(start, end, value, scale, last in _ORDINALS, last in _DECADES)


def _runs(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Stretches of number words: where each starts, where it ends, and its words."""
    start = end = 0
    parts: list[str] = []
    for match in _LETTERS.finditer(text):
        if match.group() not in _KNOWN:
            continue
        if parts and text[end : match.start()] not in _JOINS:
            yield start, end, parts
            parts = []
        start = start if parts else match.start()
        parts.append(match.group())
        end = match.end()
    if parts:
        yield start, end, parts


def _value(parts: list[str]) -> Decimal | None:
    """None for words that write no one number: `one two three`."""
    total = group = 0
    for part in parts:
        if part in _ALONE:
            return _ALONE[part]
        scale = _SCALES.get(part.removesuffix("s"))
        if scale is not None:
            group = max(group, 1) * scale
            if scale >= _THOUSAND:
                total, group = total + group, 0
            continue
        value = _CARDINALS.get(part, _ORDINALS.get(part, 0))
        if 10 <= group < 100 and value >= 10:
            group = group * 100 + value
        elif group % 10 and group < 100:
            return None
        else:
            group += value
    return Decimal(total + group)

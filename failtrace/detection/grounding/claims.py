"""Claims: the stretches of an output that evidence must hold."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from failtrace.detection.grounding.dates import DateMention, TimeMention, find_dates, find_times
from failtrace.detection.grounding.names import Name, find_names
from failtrace.detection.grounding.quantities import Quantity, find_quantities
from failtrace.detection.grounding.text import Sentence, fold, sentences, words
from failtrace.detection.grounding.vocabulary import STOPWORDS

ClaimKind = Literal["number", "date", "name", "quotation"]
_QUOTATION_LEAST = 3
_SMALL_SPELLED = 10
"""Counts up to this, in words, are what a writer works out; they are no claims."""
_NEAR = 500

_QUOTATION = re.compile(r"\"([^\"\n]{3,600})\"|“([^”\n]{3,600})”|«([^»\n]{3,600})»")
_NO_FIGURE = re.compile(
    r"(?m:^\s{0,8}(?:[-*]\s)?\(?\d{1,3}[.)]\s)|\[\d{1,3}(?:,\s?\d{1,3})*\]|https?://\S+|www\.\S+|#\d{1,2}\b|\b24/7\b"
)


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words in quotation marks, folded, in parts where an ellipsis parts them."""

    start: int
    end: int
    parts: tuple[tuple[str, ...], ...]
    title: bool = False
    """Most of its words are capitalised: the title of a work rather than what somebody said."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable stretch of the output text, and what it says."""

    kind: ClaimKind
    start: int
    end: int
    text: str
    sentence: Sentence
    mention: Quantity | DateMention | TimeMention | Name | Quotation

    @property
    def before(self) -> str:
        """What its sentence says before it, as far as it matters."""
        return self.sentence.text[: self.start - self.sentence.start][-_NEAR:]

    @property
    def after(self) -> str:
        """What its sentence says after it, as far as it matters."""
        return self.sentence.text[self.end - self.sentence.start :][:_NEAR]


def find_claims(text: str, limit: int) -> list[Claim]:
    """The first `limit` claims of `text`, by position. The numbers in a date are part of the date."""
    parts = sentences(text)
    starts = [part.start for part in parts]
    claims: list[Claim] = []
    taken = bytearray(len(text))
    for match in _NO_FIGURE.finditer(text):
        _take(taken, match.start(), match.end())
    for kind, mention in _mentions(text, parts):
        start, end = mention.start, mention.end
        if isinstance(mention, Quantity) and any(taken[start:end]):
            continue
        if kind == "date":
            _take(taken, start, end)
        sentence = parts[bisect_right(starts, start) - 1]
        claims.append(Claim(kind, start, end, text[start:end], sentence, mention))
    claims.sort(key=lambda claim: (claim.start, claim.end))
    return claims[:limit]


def _mentions(
    text: str, parts: list[Sentence]
) -> Iterator[tuple[ClaimKind, Quantity | DateMention | TimeMention | Name | Quotation]]:
    for date in find_dates(text):
        yield "date", date
    for time in find_times(text):
        yield "date", time
    for quantity in find_quantities(text):
        if not quantity.spelled or quantity.value > _SMALL_SPELLED:
            yield "number", quantity
    for sentence in parts:
        for name in find_names(sentence):
            yield "name", name
    yield from (("quotation", quotation) for quotation in _quotations(text))


def _quotations(text: str) -> Iterator[Quotation]:
    for match in _QUOTATION.finditer(text):
        said = match[match.lastindex or 0]
        parts = tuple(tuple(words(part)) for part in re.split(r"\.\.\.|…|\[[^\]]*\]", said))
        if sum(map(len, parts)) >= _QUOTATION_LEAST:
            yield Quotation(match.start(), match.end(), tuple(part for part in parts if part), _is_title(said))


def _is_title(said: str) -> bool:
    telling = [word for word in said.split() if fold(word) not in STOPWORDS and word[0].isalpha()]
    return len(telling) > 1 and sum(word[0].isupper() for word in telling) * 3 > len(telling) * 2


def _take(taken: bytearray, start: int, end: int) -> None:
    taken[start:end] = b"\1" * (end - start)

"""The evidence as an index: what it holds, where, and which of its sentences is nearest."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from failtrace.detection.grounding.aliases import aliases
from failtrace.detection.grounding.claims import Claim, Quotation
from failtrace.detection.grounding.dates import DateMention, TimeMention, find_dates, find_times
from failtrace.detection.grounding.names import Name
from failtrace.detection.grounding.quantities import Quantity, find_quantities
from failtrace.detection.grounding.text import content, sentences, words

_BETWEEN = "\n\x00\n"
"""Between two evidence texts: neither a word nor a space, so that nothing is read across."""
_PREFIX = 5
_ACRONYM_LENGTHS = range(2, 7)

Counted = Quantity | DateMention | TimeMention


@dataclass(frozen=True, slots=True)
class EvidenceText:
    """A text that an output may rest on, and where it came from: `evidence[0]`, `step:search`."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """One sentence of the evidence, its content words and its source."""

    text: str
    source: str
    content: frozenset[str]


class EvidenceIndex:
    """Built once for one judgement, in time linear in the evidence. Names may stand in `context` too."""

    def __init__(self, evidence: Sequence[EvidenceText], context: str = "") -> None:
        self.sentences: list[EvidenceSentence] = []
        self.counted: list[tuple[Counted, int]] = []
        """Numbers, dates and times, each with the index of its sentence."""
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        running = self._read(evidence)
        self._running = " ".join(["", *running, ""])
        said = [*running, *words(context)]
        self._words = set(said)
        self._prefixes = {word[:_PREFIX] for word in self._words if len(word) >= _PREFIX}
        self._joined = "".join(said)
        self._initials = "".join(word[0] for word in said)

    def holds(self, claim: Claim) -> bool:
        """Does any evidence hold what the claim says?"""
        mention = claim.mention
        if isinstance(mention, Name):
            return self._holds_name(mention)
        if isinstance(mention, Quotation):
            return self._holds_quotation(mention)
        return bool(self.places(mention)) or (isinstance(mention, DateMention) and self._holds_parts(mention))

    def places(self, mention: Counted) -> set[int]:
        """The sentences with a number, date or time that agrees with `mention`."""
        return {place for held, place in self.counted if _agrees(mention, held)}

    def rivals(self, mention: Counted) -> set[int]:
        """The sentences with another number, date or time of the same kind and dimension."""
        return {place for held, place in self.counted if _rivals(mention, held) and not _agrees(mention, held)}

    def shared(self, about: frozenset[str]) -> dict[int, int]:
        """How many of these content words each sentence has; sentences with none are left out."""
        counts: defaultdict[int, int] = defaultdict(int)
        for word in about:
            for place in self._by_word.get(word, ()):
                counts[place] += 1
        return counts

    def nearest(self, about: frozenset[str]) -> EvidenceSentence | None:
        """The sentence sharing most content words, the first of equals; None where none shares any."""
        counts = self.shared(about)
        if not counts:
            return None
        return self.sentences[min(counts, key=lambda place: (-counts[place], place))]

    def _read(self, evidence: Sequence[EvidenceText]) -> list[str]:
        """Read all evidence as one text, far faster than text by text; gives its words in their order."""
        text = _BETWEEN.join(item.text for item in evidence)
        ends = list(accumulate(len(item.text) + len(_BETWEEN) for item in evidence))
        starts: list[int] = []
        said: list[str] = []
        for part in sentences(text):
            found = words(part.text)
            said += found
            about = content(found)
            for word in about:
                self._by_word[word].append(len(self.sentences))
            starts.append(part.start)
            self.sentences.append(EvidenceSentence(part.text, evidence[bisect_right(ends, part.start)].source, about))
        mentions: list[Counted] = [*find_quantities(text), *find_dates(text), *find_times(text)]
        for mention in mentions:
            self.counted.append((mention, bisect_right(starts, mention.start) - 1))
        return said

    def _holds_parts(self, mention: DateMention) -> bool:
        """Day and month in one place, the year in another."""
        years = {reading.year for reading in mention.readings}
        rest = replace(
            mention,
            readings=tuple(replace(reading, year=None, weekday=None) for reading in mention.readings if reading.month),
        )
        return bool(self.places(rest)) and any(
            isinstance(held, Quantity) and held.value in years for held, _ in self.counted
        )

    def _holds_name(self, name: Name) -> bool:
        if name.code:
            return name.words[0] in self._joined
        initials = "".join(word[0] for word in name.words)
        if len(initials) in _ACRONYM_LENGTHS and initials in self._words:
            return True
        return all(self.holds_word(word) for word in name.words)

    def holds_word(self, word: str) -> bool:
        """Does the evidence or the context have this word, an alias, another form or what it abbreviates?"""
        bare = word.replace("-", "").replace("&", "")
        if any(form in self._words for form in (*aliases(word), bare, bare.removesuffix("s"), bare + "s")):
            return True
        if "-" in word and all(part in self._words for part in word.split("-")):
            return True
        if len(bare) > _PREFIX and (bare[:_PREFIX] in self._prefixes or bare in self._joined):
            return True
        return len(bare) in _ACRONYM_LENGTHS and bare in self._initials and len(bare) > min(_ACRONYM_LENGTHS)

    def _holds_quotation(self, quotation: Quotation) -> bool:
        if quotation.title:
            return all(self.holds_word(word) for part in quotation.parts for word in part)
        return all(f" {' '.join(part)} " in self._running for part in quotation.parts)


def _agrees(mention: Counted, held: Counted) -> bool:
    if isinstance(mention, Quantity):
        return isinstance(held, Quantity) and mention.agrees(held)
    if isinstance(mention, DateMention):
        return isinstance(held, DateMention) and mention.agrees(held)
    return isinstance(held, TimeMention) and mention.agrees(held)


def _rivals(mention: Counted, held: Counted) -> bool:
    if isinstance(mention, Quantity):
        return isinstance(held, Quantity) and not held.spelled and mention.nature == held.nature
    return type(mention) is type(held)

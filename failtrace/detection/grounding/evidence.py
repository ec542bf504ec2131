"""The evidence as an index: what it holds, where, and which of its sentences is nearest."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from failtrace.detection.grounding.aliases import aliases
from failtrace.detection.grounding.claims import Claim, Quotation
from failtrace.detection.grounding.counted import Counted, CountedIndex, rivals
from failtrace.detection.grounding.dates import find_dates, find_times
from failtrace.detection.grounding.names import Name
from failtrace.detection.grounding.quantities import Quantity, find_quantities
from failtrace.detection.grounding.text import content, content_words, sentences, words

_BETWEEN = "\n\x00\n"
"""Between two evidence texts: neither a word nor a space, so that nothing is read across."""
_PREFIX = 5
_ACRONYM_LENGTHS = range(2, 7)

_LONG = 10_000
_RIVAL_WORTH = 2
_COMMON = 500
"""A word in more sentences than this tells none of them apart."""


@dataclass(frozen=True, slots=True)
class EvidenceText:
    """A text that an output may rest on, and where it came from: `evidence[0]`, `step:search`."""

    text: str
    source: str
    cut: bool = False
    """There was more of it, which nobody can read any more."""


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
        return self.counted.holds(mention) or self._holds_digits(mention)

    def shared(self, about: frozenset[str]) -> dict[int, int]:
        """How many of these content words each sentence has; sentences with none are left out."""
        counts: defaultdict[int, int] = defaultdict(int)
        for word in about:
            for place in self._by_word.get(word, ())[:_COMMON]:
                counts[place] += 1
        return counts

    def nearest(self, claim: Claim) -> EvidenceSentence | None:
        """The sentence sharing most content words with the claim's own, the first of equals; None where none does.

        One with another number or date where the claim has its number or date is worth two words more.
        """
        counts = self.shared(content_words(f"{claim.before} {claim.text} {claim.after}"))
        mention = claim.mention
        if not isinstance(mention, Name | Quotation):
            for place in counts:
                counts[place] += _RIVAL_WORTH * any(rivals(mention, held) for held in self.counted.at(place))
        return self.sentences[min(counts, key=lambda place: (-counts[place], place))] if counts else None

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
        self.counted = CountedIndex((mention, bisect_right(starts, mention.start) - 1) for mention in mentions)
        return said

    def _holds_digits(self, mention: Counted) -> bool:
        """A long plain number may stand inside an identifier of the evidence: `card_7644869`."""
        if not isinstance(mention, Quantity) or mention.unit or mention.value < _LONG:
            return False
        return str(mention.value) in self._words

    def _holds_name(self, name: Name) -> bool:
        if name.code:
            return "".join(name.words[0]) in self._joined
        initials = "".join(parts[0][0] for parts in name.words)
        if len(initials) in _ACRONYM_LENGTHS and initials in self._words:
            return True
        return all(self.holds_word(parts) for parts in name.words)

    def holds_word(self, parts: tuple[str, ...]) -> bool:
        """Does the evidence or the context have this word, an alias, another form or what it abbreviates?"""
        whole = "".join(parts)
        if any(form in self._words for form in (*aliases(whole), whole.removesuffix("s"), whole + "s")):
            return True
        if len(parts) > 1 and all(part in self._words for part in parts):
            return True
        if len(whole) > _PREFIX:
            return whole[:_PREFIX] in self._prefixes or whole in self._joined
        return len(whole) > min(_ACRONYM_LENGTHS) and whole in self._initials

    def _holds_quotation(self, quotation: Quotation) -> bool:
        if quotation.title:
            return all(self.holds_word((word,)) for part in quotation.parts for word in part)
        return all(f" {' '.join(part)} " in self._running for part in quotation.parts)

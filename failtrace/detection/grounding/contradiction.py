"""Contradictions: the output says a sentence of the evidence with another number or name, or the opposite.

A sentence without what it claims is its frame: its content words. Where a sentence of the evidence has (nearly)
the same frame and something else in the place of the claim, and no sentence of the evidence says what the output
says, the two contradict each other. Sentences that only resemble are left alone: precision before recall.
"""

import re
from collections.abc import Iterator

from failtrace.analysis.negation import denies
from failtrace.detection.grounding.claims import Claim, Quotation
from failtrace.detection.grounding.counted import agrees, rivals
from failtrace.detection.grounding.evidence import EvidenceIndex, EvidenceSentence
from failtrace.detection.grounding.names import Name, find_names
from failtrace.detection.grounding.text import Sentence, content_words
from failtrace.detection.grounding.vocabulary import NEGATIONS

_FRAME_LEAST = 2
_COVERED = 0.8
_RIVAL_COVERED = 0.6
_SAME = 0.75
_BESIDE = 3

_TURN = re.compile(r"\b(?:but|although|though|however|unless|except|while|whereas|only|or|if)\b|[,;:]", re.IGNORECASE)


def rival_of(claim: Claim, index: EvidenceIndex) -> EvidenceSentence | None:
    """The evidence sentence with this claim's frame and something else in its place, if there is one."""
    frame = content_words(f"{claim.before} {claim.after}")
    if len(frame) < _FRAME_LEAST or isinstance(claim.mention, Quotation):
        return None
    shared = index.shared(frame)
    if any(_has(claim, index, place) for place, count in shared.items() if count >= _RIVAL_COVERED * len(frame)):
        return None
    covered = [place for place, count in shared.items() if count >= _COVERED * len(frame)]
    for place in sorted(covered, key=lambda place: (-shared[place], place)):
        if _has_another(claim, index, place, frame):
            return index.sentences[place]
    return None


def _has(claim: Claim, index: EvidenceIndex, place: int) -> bool:
    if isinstance(claim.mention, Name):
        return not index.sentences[place].content.isdisjoint(content_words(claim.text))
    return not isinstance(claim.mention, Quotation) and any(
        agrees(claim.mention, held) for held in index.counted.at(place)
    )


def _has_another(claim: Claim, index: EvidenceIndex, place: int, frame: frozenset[str]) -> bool:
    if isinstance(claim.mention, Name):
        return _names_another(index.sentences[place], frame)
    return not isinstance(claim.mention, Quotation) and any(
        rivals(claim.mention, held) for held in index.counted.at(place)
    )


def _names_another(held: EvidenceSentence, frame: frozenset[str]) -> bool:
    """Has the sentence little beside the frame, and a name among it?"""
    beside = held.content - frame
    if not 0 < len(beside) <= _BESIDE:
        return False
    names = find_names(Sentence(held.text, 0, len(held.text)))
    return any(content_words(held.text[name.start : name.end]) <= beside for name in names)


def opposite_of(sentence: Sentence, index: EvidenceIndex) -> EvidenceSentence | None:
    """The evidence sentence that says the opposite in (nearly) the same words, if there is one."""
    if sentence.text.endswith("?") or _TURN.search(sentence.text):
        return None
    mine = _plain(content_words(sentence.text))
    if len(mine) < _FRAME_LEAST:
        return None
    alike = list(_alike(mine, index))
    if not alike or any(denies(held.text) == denies(sentence.text) for held in alike):
        return None
    return alike[0]


def _alike(mine: frozenset[str], index: EvidenceIndex) -> Iterator[EvidenceSentence]:
    shared = index.shared(mine)
    for place in sorted(shared):
        held = index.sentences[place]
        theirs = _plain(held.content)
        if len(mine & theirs) >= _SAME * len(mine | theirs) and not _TURN.search(held.text):
            yield held


def _plain(content: frozenset[str]) -> frozenset[str]:
    return content - NEGATIONS

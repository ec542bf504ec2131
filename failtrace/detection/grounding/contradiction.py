"""Contradictions: the output says a sentence of the evidence with another number or name, or the opposite.

A sentence without what it claims is its frame: its content words. Where a sentence of the evidence has (nearly)
the same frame and something else in the place of the claim, and no sentence of the evidence says what the output
says, the two contradict each other. Sentences that only resemble are left alone: precision before recall.
"""

import re
from collections.abc import Iterator

from failtrace.detection.grounding.claims import Claim, Quotation
from failtrace.detection.grounding.evidence import EvidenceIndex, EvidenceSentence
from failtrace.detection.grounding.names import Name
from failtrace.detection.grounding.text import Sentence, content_words
from failtrace.detection.grounding.vocabulary import NEGATIONS

_FRAME_LEAST = 2
_COVERED = 0.8
_RIVAL_COVERED = 0.6
_SAME = 0.75
_BESIDE = 3

_NEGATION = re.compile(r"\b(?:not|never|no|cannot|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)
_TURN = re.compile(r"\b(?:but|although|though|however|unless|except|while|whereas|only|or|if)\b|[,;:]", re.IGNORECASE)
_CAPITALISED = re.compile(r"\b[A-Z][^\W\d_]+")


def denies(text: str) -> bool:
    """Does a sentence say no, an odd number of times?"""
    return len(_NEGATION.findall(text)) % 2 == 1


def rival_of(claim: Claim, index: EvidenceIndex) -> EvidenceSentence | None:
    """The evidence sentence with this claim's frame and something else in its place, if there is one."""
    left = claim.start - claim.sentence.start
    right = claim.end - claim.sentence.start
    frame = content_words(f"{claim.sentence.text[:left]} {claim.sentence.text[right:]}")
    if len(frame) < _FRAME_LEAST or isinstance(claim.mention, Quotation):
        return None
    shared = index.shared(frame)
    if isinstance(claim.mention, Name):
        own = content_words(claim.text)
        holding = set(index.shared(own))
        rivals = {place for place in shared if place not in holding and _names_another(index.sentences[place], frame)}
    else:
        holding = index.places(claim.mention)
        rivals = index.rivals(claim.mention) - holding
    best = min(rivals, key=lambda place: (-shared.get(place, 0), place), default=None)
    if best is None or shared.get(best, 0) < _COVERED * len(frame):
        return None
    if any(shared.get(place, 0) >= _RIVAL_COVERED * len(frame) for place in holding):
        return None
    return index.sentences[best]


def _names_another(held: EvidenceSentence, frame: frozenset[str]) -> bool:
    """Has the sentence little beside the frame, and a name among it?"""
    beside = held.content - frame
    return 0 < len(beside) <= _BESIDE and any(content_words(name) <= beside for name in _CAPITALISED.findall(held.text))


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

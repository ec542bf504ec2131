"""The grounding detector: an output against its evidence, claim by claim."""

from collections.abc import Iterator, Sequence

from failtrace.analysis.negation import has_negation
from failtrace.contracts import (
    DetectorInfo,
    FailureType,
    Json,
    StepKind,
    StepStatus,
    TraceStep,
    UnsupportedClaim,
    Verdict,
    VerdictStatus,
)
from failtrace.detection.grounding.arithmetic import worked_out
from failtrace.detection.grounding.claims import Claim, find_claims
from failtrace.detection.grounding.contradiction import opposite_of, rival_of
from failtrace.detection.grounding.evidence import EvidenceIndex, EvidenceSentence, EvidenceText
from failtrace.detection.grounding.names import Name
from failtrace.detection.grounding.text import sentences
from failtrace.detection.grounding.values import evidence_texts, holds_cut, output_text, question_text

__all__ = ["DETECTOR", "EvidenceText", "context_text", "judge", "step_evidence"]

DETECTOR = DetectorInfo(name="grounding", version="1")

MAX_OUTPUT_CHARACTERS = 64_000
"""Of a longer output the beginning is judged."""
MAX_CONTEXT_CHARACTERS = 64_000
MAX_EVIDENCE_CHARACTERS = 256_000
"""Of longer evidence the beginning is read; nothing is flagged then, for the rest may hold it."""
MAX_CLAIMS = 200
"""Of more claims, and of more sentences, the first are judged."""
MAX_SHOWN = 20
MAX_NEAREST_CHARACTERS = 500

# How sure a flag of each kind is: ranked by the precision seen on the development data, see examples/grounded_answers.
_SCORES = {"date": 0.95, "number": 0.95, "name": 0.9, "quotation": 0.8}
_PARTLY_HELD_NAME = 0.75
_RIVAL = 0.85
_OPPOSITE = 0.8


def judge(output: Json, evidence: Sequence[EvidenceText], context: str = "") -> Verdict:
    """Failed where the output claims what no evidence holds or what evidence contradicts; else passed.

    Abstains without evidence, where the output claims nothing that can be checked, and where unread evidence
    might hold it. `context` is what the user said: it may hold names, and the numbers of sentences that deny
    (`No, 45 days is too long`). Spans point into `output_text(output)`.
    """
    text = output_text(output)[:MAX_OUTPUT_CHARACTERS]
    read, cut = _bounded(evidence)
    if not any(item.text.strip() for item in read):
        return _verdict(VerdictStatus.ABSTAINED, "There is no evidence to hold the output against.")
    # An input that carries the answer does not vouch for it.
    said = context[:MAX_CONTEXT_CHARACTERS].replace(text, "\n") if text else ""
    index = EvidenceIndex(read, said)
    claims = find_claims(text, MAX_CLAIMS)
    unsupported, opposites = list(_unsupported(claims, index, said)), list(_opposites(text, index))
    found = [*unsupported, *opposites]
    if found and cut:
        return _verdict(
            VerdictStatus.ABSTAINED,
            "Only a part of the evidence could be read, and the rest may hold what the read part does not.",
        )
    if found:
        found.sort(key=lambda flagged: (flagged.start, flagged.end))
        is_denied = found[0] in opposites or found[0].score == _RIVAL
        return _verdict(VerdictStatus.FAILED, _reason(found, is_denied=is_denied), tuple(found[:MAX_SHOWN]))
    if not claims:
        return _verdict(VerdictStatus.ABSTAINED, "The output has no number, date, name or quotation to check.")
    return _verdict(
        VerdictStatus.PASSED, f"The evidence holds every claim of the output that can be checked ({len(claims)})."
    )


def step_evidence(steps: Sequence[TraceStep]) -> list[EvidenceText]:
    """What the retrieval and tool steps of a trace gave, steps that failed left out."""
    return [
        EvidenceText(text, f"step:{step.name}", cut=holds_cut(step.output))
        for step in steps
        if step.kind in (StepKind.RETRIEVAL, StepKind.TOOL) and step.status is not StepStatus.ERROR
        for text in evidence_texts(step.output)
    ]


def context_text(input: Json) -> str:  # noqa: A002 (the word of the contracts)
    """What the user said, as the `context` of `judge`; see `values.question_text`."""
    return question_text(input)


def _bounded(evidence: Sequence[EvidenceText]) -> tuple[list[EvidenceText], bool]:
    """What of the evidence is read, and whether there is more."""
    read: list[EvidenceText] = []
    left = MAX_EVIDENCE_CHARACTERS
    # The same document is often both the subject's evidence and a step's output: the first stands for both.
    for item in reversed({item.text: item for item in reversed(evidence)}.values()):
        if len(item.text) > left:
            return [*read, EvidenceText(item.text[:left], item.source)], True
        read.append(item)
        left -= len(item.text)
    return read, any(item.cut for item in read)


def _unsupported(claims: list[Claim], index: EvidenceIndex, context: str) -> Iterator[UnsupportedClaim]:
    held = [claim for claim in claims if index.holds(claim)]
    for claim in held:
        if rival := rival_of(claim, index):
            yield _flag(claim.start, claim.end, claim.text, _RIVAL, rival)
    missing = [claim for claim in claims if claim not in held and not worked_out(claim, held, index.counted.values)]
    asked = EvidenceIndex([EvidenceText(context, "context")]) if missing and context else None
    for claim in missing:
        counted = claim.kind in ("number", "date")
        if not (counted and asked and has_negation(claim.sentence.text) and asked.holds(claim)):
            nearest = index.nearest(claim)
            yield _flag(claim.start, claim.end, claim.text, _score(claim, index), nearest)


def _opposites(text: str, index: EvidenceIndex) -> Iterator[UnsupportedClaim]:
    for sentence in sentences(text)[:MAX_CLAIMS]:
        if opposite := opposite_of(sentence, index):
            yield _flag(sentence.start, sentence.end, sentence.text, _OPPOSITE, opposite)


def _score(claim: Claim, index: EvidenceIndex) -> float:
    name = claim.mention
    if isinstance(name, Name) and not name.code and any(index.holds_word(word) for word in name.words):
        return _PARTLY_HELD_NAME
    return _SCORES[claim.kind]


def _flag(start: int, end: int, text: str, score: float, nearest: EvidenceSentence | None) -> UnsupportedClaim:
    return UnsupportedClaim(
        text=text,
        start=start,
        end=end,
        score=score,
        nearest_evidence=nearest.text[:MAX_NEAREST_CHARACTERS] if nearest else "",
        evidence_source=nearest.source if nearest else "",
    )


def _reason(found: list[UnsupportedClaim], *, is_denied: bool) -> str:
    """`No evidence supports '90 days'.`, or that the evidence says otherwise; of the first, and how many more."""
    first, others = f"{found[0].text[:80].rstrip('.!?')!r}", len(found) - 1
    if is_denied:
        flagged = "is flagged" if others == 1 else "are flagged"
        more = f"; {others} more of the output's claims {flagged}" if others else ""
        return f"The evidence contradicts {first}{more}."
    more = f" and {others} more of the output's claims" if others else ""
    return f"No evidence supports {first}{more}."


def _verdict(status: VerdictStatus, reason: str, found: tuple[UnsupportedClaim, ...] = ()) -> Verdict:
    failure_type = FailureType.HALLUCINATION_FLAG if status is VerdictStatus.FAILED else None
    return Verdict(detector=DETECTOR, status=status, reason=reason, failure_type=failure_type, evidence=found)

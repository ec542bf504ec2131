"""Claims that no evidence holds: marked inside the output, each with the evidence that comes nearest."""

from collections.abc import Iterator, Sequence

from failtrace.analysis.claims import is_contradicted
from failtrace.contracts import DetectorInfo, FailureEvent, Json, UnsupportedClaim
from failtrace.detection.grounding.values import output_text
from failtrace.ui.marked_text import Line, Note, marked_text
from failtrace.ui.wording import percent, plural


def show_claims(claims: Sequence[UnsupportedClaim], output: Json, failure: FailureEvent) -> None:
    """The judged text with its claims marked."""
    text = output_text(output)
    marked_text(
        _title(claims, failure.detector),
        text,
        [note_of(claim, text, failure.detector) for claim in claims],
        key="claims",
        kind=failure.failure_type,
    )


def _title(claims: Sequence[UnsupportedClaim], detector: DetectorInfo) -> str:
    against = sum(is_contradicted(claim, detector) for claim in claims)
    without = len(claims) - against
    parts = [
        plural(without, "claim that no evidence holds", "claims that no evidence holds") if without else "",
        plural(against, "claim that evidence contradicts", "claims that evidence contradicts") if against else "",
    ]
    return ", ".join(part for part in parts if part)


def note_of(claim: UnsupportedClaim, text: str, detector: DetectorInfo) -> Note:
    """What is said of a claim, and where in the text it stands."""
    start, end = _place(claim, text)
    against = is_contradicted(claim, detector)
    title = "Contradicted by evidence" if against else "No evidence holds this"
    return Note(start, end, title, tuple(_lines(claim, against=against)))


def _lines(claim: UnsupportedClaim, *, against: bool) -> Iterator[Line]:
    yield Line("Claim", claim.text)
    if claim.nearest_evidence:
        yield Line("Evidence says" if against else "Nearest evidence", claim.nearest_evidence)
        yield Line("From", claim.evidence_source, mono=True)
    else:
        yield Line("Nearest evidence", "none comes near")
    yield Line("How sure", percent(claim.score))


def _place(claim: UnsupportedClaim, text: str) -> tuple[int | None, int | None]:
    """Where the claim stands in the text; a foreign detector may count otherwise, so its words are looked for too."""
    if claim.text and text[claim.start : claim.end] == claim.text:
        return claim.start, claim.end
    found = text.find(claim.text) if claim.text else -1
    return (found, found + len(claim.text)) if found >= 0 else (None, None)

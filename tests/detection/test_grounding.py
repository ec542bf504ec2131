"""The grounding detector as a whole: what it flags, what it lets pass, when it keeps still."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failtrace.contracts import EndedBy, FailureType, Json, StepKind, StepStatus, TraceStep, VerdictStatus
from failtrace.detection.grounding import EvidenceText, context_text, judge, output_text, step_evidence
from failtrace.detection.grounding import detector as grounding

PASSED, FAILED, ABSTAINED = VerdictStatus.PASSED, VerdictStatus.FAILED, VerdictStatus.ABSTAINED


def texts(*evidence: str) -> list[EvidenceText]:
    return [EvidenceText(text, f"evidence[{index}]") for index, text in enumerate(evidence)]


HELD = [
    ("The store closes at six o'clock, at 6:00 p.m.", "The store closes at 18:00."),
    ("It was founded on 3 May 1998, a Sunday.", "Founded 1998-05-03 in Oslo."),
    ("It was founded in May 1998.", "Founded on May 3rd, 1998."),
    ("It opened in June 2019.", "The opening, June 2019, was quiet."),
    ("They sold 4.6 million units, over 4,000,000.", "Sales were 4,612,340 units."),
    ("About 300 people came, more than 250.", "There were 312 people."),
    ("It has twenty-one rooms, 5 floors and a dozen cats.", "It has 21 rooms on five floors, and 12 cats."),
    ("It costs 20 dollars, half its price: 50%.", "Price: $20.00, half of what it was."),
    ("The walk is 5 km and takes two weeks.", "A 3.1 mile walk of 14 days"),
    ("It began in the 1960s, in the 20th century.", "In 1964 it started."),
    ("The 2018-19 season cost 1.5bn and 3k.", "season 2018–2019: 1,500,000,000 and 3000"),
    ("In total, 3 items at $5 each come to $15.", "3 items, $5 each"),
    ("The price difference of $16.23 is refunded, and I'll tell them.", "lamp: 137.94\nother lamp: 154.17"),
    ("* **Order Volume:** 3 items, sent to AZ, paid with 7644869", "3 things, Arizona, paypal_7644869"),
    ("You get a refund of $60.78.", '{"price_difference": -60.78}'),
    ("The winner was Holm's team, from the U.S., with Beyonce.", "Erik Holm of America won against Beyoncé."),
    ("In the end the NFL beat the people of the National Rifle Association.", "National Football League; the NRA."),
    ("Order #W2378156 ships on Tuesday.", "order_id: #W2378156, 2024-05-14"),
    ("Dr. Smith met Mr. Jones on Jan. 5.", "smith, jones, january 5"),
    ('He said: "We will never surrender ... the island".', "“We will never surrender, not even the island”, he said."),
    ("1. Open the box.\n2. Close it. [3]\n\nSee https://x.org/77/Foo. Version 18", "Version 18 of it"),
]

UNHELD = [
    ("The store closes at 21:00.", "The store closes at 18:00.", "21:00"),
    ("It was founded in June 1998.", "Founded on May 3rd, 1998.", "June 1998"),
    ("They sold 4.8 million units.", "Sales were 4,612,340 units.", "4.8 million"),
    ("Exactly 300 people came.", "There were 312 people.", "300"),
    ("It costs $20.", "Discount: 20%", "$20"),
    ("The walk is 5 miles.", "A 5 km walk", "5 miles"),
    ("It was -5 there.", "It was 5 there.", "-5"),
    ("The winner was Anna Lindqvist.", "The winner was Erik Holm.", "Anna Lindqvist"),
    ("Order W2378156 ships to them.", "Order W2378157 ships to them.", "W2378156"),
    (
        'He said "we will never surrender the island".',
        "He said they would fight.",
        '"we will never surrender the island"',
    ),
]

CONTRADICTED = [
    ("The store closes at 21:00.", "The store closes at 18:00. The kiosk opens at 21:00.", "21:00"),
    ("The ticket is refundable.", "Seats are free. The ticket is not refundable.", "The ticket is refundable."),
    ("The ticket isn't refundable.", "The ticket is refundable.", "The ticket isn't refundable."),
    (
        "The huddle was created by Anna Smith.",
        "The huddle was created by Paul Hubbard. Anna Smith coached at Gallaudet.",
        "Anna Smith",
    ),
]


@pytest.mark.parametrize(("output", "evidence"), HELD, ids=[output[:30] for output, _ in HELD])
def test_a_claim_passes_in_whatever_form_the_evidence_holds_it(output: str, evidence: str) -> None:
    """Forms of numbers, dates, times, units, names and quotations meet: none of these is an invention."""
    verdict = judge(output, texts(evidence))
    assert (verdict.status, verdict.evidence) == (PASSED, ())


@pytest.mark.parametrize(("output", "evidence", "flagged"), UNHELD + CONTRADICTED)
def test_what_no_evidence_holds_is_flagged_with_its_span(output: str, evidence: str, flagged: str) -> None:
    """Exactly the invented or contradicted stretch is flagged, beside the evidence sentence it departs from."""
    verdict = judge(output, texts(evidence))
    (claim,) = verdict.evidence
    assert (verdict.status, verdict.failure_type) == (FAILED, FailureType.HALLUCINATION_FLAG)
    assert claim.kind == "unsupported_claim"
    assert (claim.text, output[claim.start : claim.end]) == (flagged, flagged)
    assert claim.nearest_evidence in evidence
    assert claim.evidence_source == ("evidence[0]" if claim.nearest_evidence else "")
    assert 0.5 < claim.score <= 1


@pytest.mark.parametrize(("output", "evidence", "flagged"), CONTRADICTED)
def test_a_contradiction_is_told_from_what_is_merely_not_held(output: str, evidence: str, flagged: str) -> None:
    """The sentence says which of the two it is, and how many more claims are flagged."""
    alone = judge(output, texts(evidence)).reason
    beside = judge(f"{output} It has 4,711 seats.", texts(evidence)).reason

    assert alone == f"The evidence contradicts {flagged.rstrip('.')!r}."
    assert beside == f"The evidence contradicts {flagged.rstrip('.')!r}; 1 more of the output's claims is flagged."


def test_the_nearest_evidence_is_the_sentence_with_the_other_number() -> None:
    """Of two sentences about the subject, the one that says otherwise is shown."""
    first, second = "The harbour café was opened by two sisters.", "It serves soup and closes at 18:00."
    (claim,) = judge("The harbour café closes at 21:00.", texts(first, second)).evidence
    assert claim.kind == "unsupported_claim"
    assert (claim.nearest_evidence, claim.evidence_source) == (second, "evidence[1]")


@pytest.mark.parametrize(
    ("output", "evidence"),
    [
        ("The store closes at 21:00.", []),
        ("The store closes at 21:00.", [" ", "\n"]),
        ("I hope that helps!", ["The store closes at 18:00."]),
        ("", ["The store closes at 18:00."]),
        (None, ["The store closes at 18:00."]),
        ("Two of the three are open.", ["The store closes at 18:00."]),
        ("IMPORTANT: READ ALL OF THIS", ["The store closes at 18:00."]),
    ],
)
def test_without_evidence_or_without_claims_it_abstains(output: Json, evidence: list[str]) -> None:
    """No opinion where there is nothing to judge by, or nothing to judge."""
    verdict = judge(output, texts(*evidence))
    assert (verdict.status, verdict.failure_type, verdict.evidence) == (ABSTAINED, None, ())


def test_evidence_that_was_cut_flags_nothing() -> None:
    """What the unread rest may hold is no invention; what the read part holds still passes."""
    long = texts("7 " + "x " * grounding.MAX_EVIDENCE_CHARACTERS)
    cut = [EvidenceText("It costs 7 euros", "step:price", cut=True)]
    assert [judge("It costs 8.", long).status, judge("It costs 8.", cut).status] == [ABSTAINED, ABSTAINED]
    assert [judge("It costs 7.", long).status, judge("It costs 7.", cut).status] == [PASSED, PASSED]


def test_the_question_may_hold_names_but_numbers_only_to_deny_them() -> None:
    """The user's own words are not evidence; repeating them to say no is no invention."""
    evidence = texts("Refunds are given within 30 days.")
    asked = "I am Priya Raman. Can I return it after 45 days?"
    assert judge("Sorry, Priya Raman, no: 45 days is not within 30 days.", evidence, asked).status is PASSED
    assert judge("You can return it within 45 days.", evidence, asked).status is FAILED
    assert judge("Ask for Priya Raman within 30 days.", evidence).status is FAILED


def test_an_input_that_carries_the_answer_does_not_vouch_for_it() -> None:
    """A recorded answer in the input is not something the user said."""
    answer = "It was built by Anton Lindqvist."
    assert judge(answer, texts("It was built."), f"Who built it?\n{answer}").status is FAILED
    assert context_text({"question": "Who?", "messages": [{"content": "Hi"}], "text": answer}) == "Who?\nHi"
    assert [context_text("Who?"), context_text([answer]), context_text(None)] == ["Who?", "", ""]


def test_structured_outputs_are_judged_as_one_text() -> None:
    """String leaves and numbers with their keys are judged; bookkeeping is not; spans point into output_text."""
    output: Json = {"answer": "It costs 42 euros.", "price": 43, "confidence": 0.93, "order_id": 77, "paid": True}
    text = output_text(output)
    (claim,) = judge(output, texts("Price: €42")).evidence
    assert text == "It costs 42 euros.\nprice: 43"
    assert claim.kind == "unsupported_claim"
    assert (claim.text, text[claim.start : claim.end]) == ("43", "43")


def trace_step(name: str, kind: StepKind, output: Json, status: StepStatus = StepStatus.OK) -> TraceStep:
    return TraceStep(
        step_id="0" * 16,
        parent_id=None,
        sequence=0,
        name=name,
        kind=kind,
        started_at=datetime(2024, 1, 1, tzinfo=UTC),
        duration_ms=1.0,
        status=status,
        ended_by=EndedBy.ITSELF,
        output=output,
    )


def test_retrieval_and_tool_steps_that_went_well_are_evidence() -> None:
    """Their strings, numbers, list lengths and the sanitiser's kept values; nothing of other or failed steps."""
    flights: Json = [
        {"to": "Oslo", "price": {"$failtrace": "decimal", "value": "99.50"}},
        {"to": "Bergen", "price": 70},
    ]
    steps = [
        trace_step("search", StepKind.RETRIEVAL, flights, StepStatus.UNSET),
        trace_step("write", StepKind.LLM, "Trondheim 55"),
        trace_step("broken", StepKind.TOOL, "Stavanger 12", StepStatus.ERROR),
        trace_step("weather", StepKind.TOOL, {"$failtrace": "cut", "type": "str", "size": 9, "kept": "Rain"}),
    ]
    assert step_evidence(steps) == [
        *(
            EvidenceText(text, "step:search")
            for text in ("2 items", "Oslo", "price: 99.50", "Bergen", "price: 70", "to; price")
        ),
        EvidenceText("Rain", "step:weather", cut=True),
    ]
    held = step_evidence(steps[:3])
    assert judge("I found 2 flights, to Oslo for $99.50 and to Bergen for 70.", held).status is PASSED
    assert judge("I found a flight to Trondheim for 55.", held).status is FAILED


PIECES = (
    "The store closes at 18:00 . 21 Oslo , Anna Lindqvist not 3 May 1998 about 4.6 million $5 % \" ' - / ( ) \n U.S. "
    "never is refundable 1960s twenty-one thousand A320 é İ ß ٣ ½ & Mr. ... \x00 ? ; #1 [2] in June –"
)
SENTENCES = st.lists(st.sampled_from(PIECES.split(" ")), max_size=25).map(" ".join) | st.text(max_size=80)


@settings(max_examples=300, deadline=None)
@given(output=SENTENCES, evidence=st.lists(SENTENCES, max_size=3), context=SENTENCES)
def test_any_text_gets_a_verdict_whose_spans_are_true(output: str, evidence: list[str], context: str) -> None:
    """Whatever the texts, the verdict comes, is the same twice, and every span holds what it says."""
    verdict = judge(output, texts(*evidence), context)
    assert judge(output, texts(*evidence), context) == verdict
    assert (verdict.status is FAILED) == bool(verdict.evidence)
    for claim in verdict.evidence:
        assert claim.kind == "unsupported_claim"
        assert output[claim.start : claim.end] == claim.text


@settings(max_examples=300, deadline=None)
@given(evidence=SENTENCES, other=SENTENCES)
def test_evidence_repeated_word_for_word_is_never_flagged(evidence: str, other: str) -> None:
    """Saying what the evidence says is no invention, whatever else the evidence holds."""
    assert judge(evidence, texts(other, evidence)).status is not FAILED


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        ".",
        "1",
        "1,111",
        "1.",
        "a-",
        '"',
        "A ",
        "Zed Qux 7. ",
        "@a.",
        "/a",
        "[1,",
        " ",
        "may ",
        "1:",
        "not ",
        "\x00",
    ],
)
def test_long_hostile_texts_are_judged_in_bounded_work(piece: str) -> None:
    """A text made to make regular expressions backtrack ends like any other (pytest's timeout is the guard)."""
    long = piece * (grounding.MAX_OUTPUT_CHARACTERS // len(piece) + 10)
    verdict = judge(long, texts("It is 5.", long), long[:1000])
    assert len(verdict.evidence) <= grounding.MAX_SHOWN

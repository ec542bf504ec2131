"""The failure page alone, as the first request of a fresh server: each kind of cause, each tab, each bad state."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element
from support.cosmos_fixtures import Cosmos, cosmos, cosmos_account, cosmos_service
from support.cosmos_proxy import HANG
from support.records import failure_id_of, item, make_record, make_step

from failtrace.analysis.fingerprint import ALGORITHM
from failtrace.contracts import (
    Completeness,
    ContractViolation,
    Crashed,
    DeadlineExceeded,
    DetectorInfo,
    ErrorInfo,
    FailureType,
    LogLine,
    Logs,
    Returned,
    Termination,
    TimedOut,
    TraceRecord,
    UnsupportedClaim,
    Verdict,
    VerdictStatus,
)
from failtrace.exchange.account import account
from failtrace.mirror.mirror import Mirror
from failtrace.storage.lookup import Found
from failtrace.ui.failure.opened_records import FRESH_S, OpenedRecords

__all__ = ["cosmos", "cosmos_account", "cosmos_service"]

OpenPage = Callable[..., AppTest]
GROUNDING = DetectorInfo(name="grounding", version="1")
OWN = '  File "/srv/shop/orders.py", line 42, in answer\n    total = prices[order]\n'
LIBRARY = '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise it\n'
STACK = f"Traceback (most recent call last):\n{OWN}{LIBRARY}"


def data_of(page: AppTest, name: str) -> dict[str, Any]:
    """What the page gave its component of that name; of several, the first."""
    found = [node for node in page.get("bidi_component") if node.proto.component_name == f"failtrace.{name}"]
    data: dict[str, Any] = json.loads(found[0].proto.json)
    return data


def facts_of(page: AppTest) -> dict[str, str]:
    return {fact["label"]: fact["value"] for fact in data_of(page, "record")["facts"]}


def ways_on(page: AppTest) -> list[str]:
    """The links that the page offers, those of the navigation left out."""
    return [link.label for link in page.main.get("page_link") if isinstance(link, Element)]


def ends_with_a_title(page: AppTest) -> None:
    """A page without a record has its name, and one way to the list."""
    assert [title.value for title in page.title] == ["Open a failure"]
    assert data_of(page, "neighbours")["back"]["label"] == "All failures"
    assert not ways_on(page)


def failed(kind: FailureType, number: int = 1, of_record: dict[str, Any] | None = None, **changes: Any) -> TraceRecord:
    """A failed record with these fields of its failure, and of itself."""
    record = make_record(kind, number=number, **(of_record or {}))
    assert record.failure
    failure = record.failure.model_copy(update={"error": None, **changes})
    return record.model_copy(update={"failure": failure})


def inline(record: TraceRecord) -> TraceRecord:
    """The record of an execution in its caller's process."""
    where = record.environment.model_copy(update={"isolation": "inline"})
    return record.model_copy(update={"environment": where})


def opened(open_page: OpenPage, mirror: Mirror, record: TraceRecord, **params: str) -> AppTest:
    mirror.write([item(record)])
    page = open_page("failure", failure_id=record.failure_id or record.trace_id, **params)
    assert not page.exception
    return page


# Opening


@pytest.mark.parametrize(
    "typed",
    [
        f" '{failure_id_of(5)}'\n",
        failure_id_of(5).upper(),
        f"http://127.0.0.1:8501/failure?failure_id={failure_id_of(5)}&step=1",
        f'{{"trace_id": "{6:032x}", "failure_id": "{failure_id_of(5)}"}}',
        f"{5:032x}",
        f"00-{5:032x}-00f067aa0ba902b7-01",
    ],
    ids=["quoted", "upper-case", "link", "log-line", "trace_id", "traceparent"],
)
def test_whatever_holds_an_id_opens_its_record(open_page: OpenPage, mirror: Mirror, typed: str) -> None:
    """A person pastes what they have: it must open the record, and in the box the id alone must stay."""
    mirror.write([item(make_record(number=5)), item(make_record(number=6))])
    page = open_page("failure")

    page = page.text_input(key="failure_id").set_value(typed).run()

    assert not page.exception
    assert facts_of(page)["Failure id"] == failure_id_of(5)
    assert page.text_input(key="failure_id").value in (failure_id_of(5), f"{5:032x}")


def test_the_head_tells_who_when_and_how_whole(open_page: OpenPage, mirror: Mirror) -> None:
    """Type, subject, message, run, source with its age and what is missing must stand at the top."""
    whole = Completeness(steps_started=120, steps_recorded=118, steps_dropped=2, bytes_cut=2048, values_redacted=1)
    record = make_record(FailureType.TIMEOUT, number=5, message="too slow", completeness=whole)
    mirror.write([item(record)], at=datetime.now(UTC) - timedelta(hours=3))

    page = open_page("failure", failure_id=failure_id_of(5))

    head = data_of(page, "record")
    assert (head["badge"], head["title"], head["text"], head["note"]) == ("timeout", "answer", "too slow", "")
    assert facts_of(page) == {
        "Occurred": "2026-03-01T12:00:00+00:00",
        "Took": "12 ms",
        "Kept": "118 of 120 steps, 2 steps dropped, 2 KB cut, 1 redacted",
        "Read from": "this machine's mirror, stored 3 h ago",
        "Run": "run-1",
        "Failure id": failure_id_of(5),
    }
    assert next(fact["href"] for fact in head["facts"] if fact["label"] == "Run") == "run?run_id=run-1"


def test_the_head_copies_the_account_the_id_and_the_link(open_page: OpenPage, mirror: Mirror) -> None:
    """What is copied must be what `failtrace show --markdown` prints, and a link without the reader's own list."""
    record = make_record(number=5)
    other = make_record(number=6)

    mirror.write([item(other)])
    head = data_of(opened(open_page, mirror, record, list_q="kettle"), "record")

    assert head["copies"] == [
        {"label": "Copy for a coding agent", "text": account(record, similar=2)},
        {"label": "Copy id", "text": failure_id_of(5)},
    ]
    assert head["link"] == f"failure?failure_id={failure_id_of(5)}"


def test_a_passed_execution_opens_and_says_so(open_page: OpenPage, mirror: Mirror) -> None:
    """An execution that passed must not look like a failure, nor offer what only failures have."""
    passed = Verdict(detector=GROUNDING, status=VerdictStatus.PASSED, reason="All held.")
    record = make_record(None, number=5, verdicts=(passed, passed))

    page = opened(open_page, mirror, record)

    assert (data_of(page, "record")["badge"], data_of(page, "record")["compare"]) == ("passed", "")
    assert facts_of(page)["Trace id"] == record.trace_id
    [block] = data_of(page, "cause")["blocks"]
    assert (block["headline"], block["text"]) == ("This execution passed", "Of the 2 detectors: 2 passed.")


def test_neighbours_are_those_of_the_list_it_came_from(open_page: OpenPage, mirror: Mirror) -> None:
    """Previous and next must stay within the filter and the order of the list, and so must their own links."""
    at = datetime.now(UTC)
    for number, kind in enumerate([FailureType.TIMEOUT, FailureType.EXCEPTION, FailureType.TIMEOUT], 1):
        mirror.write([item(make_record(kind, number=number, ended_at=at - timedelta(minutes=number)))])

    def neighbours(**params: str) -> dict[str, Any]:
        return data_of(open_page("failure", failure_id=failure_id_of(1), **params), "neighbours")

    timeouts = "list_sort=newest&list_type=timeout"
    assert neighbours(list_type="timeout", list_sort="newest") == {
        "back": {"label": "Back to the list", "href": "failures?type=timeout"},
        "previous": "",
        "next": f"failure?failure_id={failure_id_of(3)}&{timeouts}",
    }
    assert neighbours() == {
        "back": {"label": "All failures", "href": "failures"},
        "previous": "",
        "next": f"failure?failure_id={failure_id_of(2)}",
    }
    assert neighbours(list_q="no such word")["next"] == ""


def test_a_passing_twin_can_be_compared(open_page: OpenPage, mirror: Mirror) -> None:
    """Where the subject passed once, the two must be one click from each other; else nothing is offered."""
    first = opened(open_page, mirror, make_record(number=5))
    assert data_of(first, "record")["compare"] == ""

    mirror.write([item(make_record(None, number=6))])
    page = open_page("failure", failure_id=failure_id_of(5))

    assert data_of(page, "record")["compare"] == f"compare?left={failure_id_of(5)}&right={6:032x}"


# Causes


def test_an_exception_shows_the_line_of_ones_own_code_first(open_page: OpenPage, mirror: Mirror) -> None:
    """Type, message and one's own line at once; the stack, the chain and the notes folded, and nothing lost."""
    cause = ErrorInfo(type="KeyError", message="'W-404'", stacktrace=STACK, relation="cause")
    error = ErrorInfo(
        type="shop.errors.OutOfStock", message="no tea", stacktrace=STACK, notes=("for Ann", "twice"), causes=(cause,)
    )

    [block] = data_of(opened(open_page, mirror, failed(FailureType.EXCEPTION, error=error)), "cause")["blocks"]

    assert (block["headline"], block["text"]) == ("OutOfStock", "no tea")
    assert block["place"] == {
        "file": "/srv/shop/orders.py",
        "line": 42,
        "function": "answer",
        "source": "total = prices[order]",
        "own": True,
    }
    assert block["folds"] == [
        {"title": "2 notes", "text": "for Ann\ntwice"},
        {
            "title": "Whole stack · 2 frames, 1 of libraries",
            "text": f"{STACK.rstrip()}\nshop.errors.OutOfStock: no tea",
        },
    ]
    [inner] = block["blocks"]
    assert (inner["label"], inner["headline"], inner["open"]) == ("Caused by", "KeyError", False)


def test_an_exception_group_shows_its_first_members_unfolded(open_page: OpenPage, mirror: Mirror) -> None:
    """What went wrong in a group is in its members: the first of them must be seen without a click."""
    members = tuple(ErrorInfo(type=f"Error{at}", message="m", stacktrace=STACK, relation="member") for at in range(4))
    error = ErrorInfo(type="ExceptionGroup", message="4 errors", stacktrace="", exceptions=members)

    [block] = data_of(opened(open_page, mirror, failed(FailureType.EXCEPTION, error=error)), "cause")["blocks"]

    assert block["place"] is None
    assert [(inner["headline"], inner["open"]) for inner in block["blocks"]] == [
        ("Error0", True),
        ("Error1", True),
        ("Error2", False),
        ("Error3", False),
    ]


def test_a_huge_exception_is_bounded(open_page: OpenPage, mirror: Mirror) -> None:
    """A chain of megabytes must not reach the browser; that there is more must be said."""
    inner = ErrorInfo(type="E", message="m" * 90_000, stacktrace="x" * 200_000, relation="cause")
    error = inner.model_copy(update={"relation": "raised", "causes": (inner,) * 200})

    data = data_of(opened(open_page, mirror, failed(FailureType.EXCEPTION, error=error)), "cause")

    assert len(json.dumps(data)) < 400_000
    assert "more, in the whole record below" in data["blocks"][0]["blocks"][-1]["headline"]
    assert data["blocks"][0]["text"].endswith("… (87.9 KB in all)")


def test_a_broken_contract_marks_the_value_in_the_output(open_page: OpenPage, mirror: Mirror) -> None:
    """The offending value must be marked in the output, with path, rule and value beside it."""
    output = {"number": "seven", "items": [{"name": "tea"}]}
    wrong = ContractViolation(location="number", rule="int_parsing", message="Not an integer", value="seven")
    missing = ContractViolation(location="items[0].price", rule="missing", message="Field required")
    record = failed(
        FailureType.VALIDATION_ERROR, of_record={"output": output, "outcome": Returned()}, evidence=(wrong, missing)
    )

    data = data_of(opened(open_page, mirror, record), "marked")

    assert (data["title"], data["style"]) == ("2 places where the output breaks its contract", "code")
    assert [segment for segment in data["segments"] if segment[1]] == [['"seven"', [0]], ["{", [1]]]
    assert [(note["title"], [line["text"] for line in note["lines"]]) for note in data["notes"]] == [
        ("Not an integer", ["number", "int_parsing", '"seven"']),
        ("Field required", ["items[0].price", "missing"]),
    ]


def test_claims_are_marked_in_the_output_with_their_evidence(open_page: OpenPage, mirror: Mirror) -> None:
    """A claim must be marked where it stands; what evidence contradicts must be named as that."""
    output = "😀 Opened items are refundable. Ask for Ann Lee."
    against = UnsupportedClaim(
        text="Opened items are refundable.",
        start=2,
        end=30,
        score=0.8,
        nearest_evidence="Opened items are not refundable.",
        evidence_source="evidence[0]",
    )
    without = UnsupportedClaim(text="Ann Lee", start=39, end=46, score=0.9, nearest_evidence="", evidence_source="")
    record = failed(
        FailureType.HALLUCINATION_FLAG,
        of_record={"output": output, "outcome": Returned()},
        evidence=(against, without),
        detector=GROUNDING,
    )

    data = data_of(opened(open_page, mirror, record), "marked")

    assert data["title"] == "1 claim that no evidence holds, 1 claim that evidence contradicts"
    assert data["segments"] == [
        ["😀 ", []],
        ["Opened items are refundable.", [0]],
        [" Ask for ", []],
        ["Ann Lee", [1]],
        [".", []],
    ]
    assert [note["title"] for note in data["notes"]] == ["Contradicted by evidence", "No evidence holds this"]
    assert {line["label"]: line["text"] for line in data["notes"][0]["lines"]} == {
        "Claim": "Opened items are refundable.",
        "Evidence says": "Opened items are not refundable.",
        "From": "evidence[0]",
        "How sure": "80 %",
    }


def test_a_timeout_shows_where_it_stood(open_page: OpenPage, mirror: Mirror) -> None:
    """Limit, elapsed time and one's own line at once; every stack folded; the open step one click away."""
    stacks = f"Thread 0x0000000000000abc (most recent call first):\n{LIBRARY}\nTask T (most recent call last):\n{OWN}"
    end = Termination(peak_rss_bytes=1 << 20, last_open_step_id=f"{1:016x}")
    record = failed(
        FailureType.TIMEOUT,
        of_record={"outcome": TimedOut(limit_s=2, elapsed_s=2.1, stacks=stacks, enforced=True, termination=end)},
        evidence=(DeadlineExceeded(limit_s=2, elapsed_s=2.1, stacks=stacks),),
        termination=end,
    )

    [block] = data_of(opened(open_page, mirror, record, list_q="tea"), "cause")["blocks"]

    assert block["text"] == "It stood here:"
    assert (block["place"]["file"], block["place"]["line"]) == ("/srv/shop/orders.py", 42)
    assert [(detail["label"], detail["value"]) for detail in block["details"]] == [
        ("Limit", "2.00 s"),
        ("Elapsed", "2.10 s"),
        ("Peak memory", "1 MB"),
        ("Last open step", "search"),
    ]
    link = f"failure?failure_id={failure_id_of(1)}&step={1:016x}&list_sort=newest&list_q=tea"
    assert block["details"][-1]["href"] == link
    assert [fold["title"] for fold in block["folds"]] == ["Task T · 1 frame", "Thread 0xabc · 1 frame"]


def test_stacks_that_could_not_be_taken_are_said_to_be_so(open_page: OpenPage, mirror: Mirror) -> None:
    """No stack is no reason to show an empty box."""
    record = failed(FailureType.TIMEOUT, evidence=(DeadlineExceeded(limit_s=2, elapsed_s=2.1, stacks=""),))

    [block] = data_of(opened(open_page, mirror, record), "cause")["blocks"]

    assert (block["text"], block["place"], block["folds"]) == ("Where it stood could not be taken.", None, [])


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (None, "The output of a late call is not kept."),
        (ErrorInfo(type="E", message="", stacktrace=""), "It did not return."),
    ],
    ids=["returned", "raised"],
)
def test_a_late_call_that_nothing_ended_is_not_said_to_have_been(
    open_page: OpenPage, mirror: Mirror, raised: ErrorInfo | None, words: str
) -> None:
    """Where the limit was not enforced the call went on to its end: what is missing is only not kept."""
    late = TimedOut(limit_s=0.2, elapsed_s=0.5, stacks="", enforced=False, termination=None)
    evidence = (DeadlineExceeded(limit_s=0.2, elapsed_s=0.5, stacks=""),)
    record = failed(FailureType.TIMEOUT, of_record={"outcome": late}, evidence=evidence, error=raised)

    page = opened(open_page, mirror, record)

    block = data_of(page, "cause")["blocks"][0]
    assert (block["headline"], block["text"]) == ("It ended after its limit", "Nothing was ended.")
    assert words in [said.value for said in page.caption]


def test_a_death_is_told_in_plain_words(open_page: OpenPage, mirror: Mirror) -> None:
    """How it died, and the step that was open, must be told; what nobody could know must be left out."""
    end = Termination(signal="SIGKILL", out_of_memory=True, last_open_step_id="00000000000000ff")
    record = failed(
        FailureType.EXCEPTION, of_record={"outcome": Crashed(termination=end, reason="It was killed.")}, termination=end
    )

    [block] = data_of(opened(open_page, mirror, record), "cause")["blocks"]

    assert block["headline"] == "It was killed."
    assert "ran out of memory" in block["text"]
    assert block["details"] == [
        {"label": "Signal", "value": "SIGKILL", "href": ""},
        {"label": "Out of memory", "value": "yes", "href": ""},
        {"label": "Last open step", "value": "00000000000000ff", "href": ""},
    ]


def test_a_failure_without_any_evidence_still_says_why(open_page: OpenPage, mirror: Mirror) -> None:
    """A detector of somebody else's may show nothing: its sentence and its name must stand all the same."""
    record = failed(
        FailureType.HALLUCINATION_FLAG, message="Too rude.", detector=DetectorInfo(name="tone", version="3")
    )

    [block] = data_of(opened(open_page, mirror, record), "cause")["blocks"]

    assert block["headline"] == "Too rude."
    assert "'tone'" in block["text"]


# Tabs


def tab(open_page: OpenPage, mirror: Mirror, record: TraceRecord, name: str) -> AppTest:
    page = opened(open_page, mirror, record)
    page.session_state["view"] = name
    page = page.run()
    assert not page.exception
    return page


def test_logs_are_narrowed_by_level_and_words(open_page: OpenPage, mirror: Mirror) -> None:
    """Of many lines those of the chosen levels that hold the words must be shown, with their step, and counted."""
    lines = tuple(
        LogLine(
            time=datetime(2026, 3, 1, tzinfo=UTC),
            level=("DEBUG", "ERROR")[at % 2],
            logger="shop",
            message=f"Line {at}",
            step_id=f"{1:016x}",
        )
        for at in range(5000)
    )
    page = tab(open_page, mirror, make_record(number=5, logs=Logs(lines=lines)), "Logs")

    assert len(page.dataframe[0].value) == 2000
    assert "The first 2,000 that match of 5,000 lines; the record holds all." in [said.value for said in page.caption]
    assert page.multiselect(key="log-levels").options == ["ERROR", "DEBUG"]
    page = page.multiselect(key="log-levels").set_value(["ERROR"]).run()
    page = page.text_input(key="log-words").set_value(" line 4999").run()
    [row] = page.dataframe[0].value.to_dict("records")
    assert (row["Level"], row["Message"], row["Step"]) == ("ERROR", "Line 4999", "search")
    assert "1 of 5,000 lines." in [said.value for said in page.caption]
    page = page.text_input(key="log-words").set_value("no such").run()
    assert "0 of 5,000 lines match." in [said.value for said in page.caption]


def test_similar_failures_are_counted_listed_and_explained(open_page: OpenPage, mirror: Mirror) -> None:
    """How many, since when, the newest ten, a way to all, and what makes them one group."""
    now = datetime.now(UTC)
    mirror.write(
        [item(make_record(number=at, ended_at=now - timedelta(hours=at))) for at in range(1, 13)]
        + [item(make_record(number=20, fingerprint="00000000000000bb"))]
    )
    page = tab(open_page, mirror, make_record(number=30, ended_at=now - timedelta(days=9)), "Similar failures")

    assert "13 failures have this cause, first seen 9 days ago, last 1 h ago." in [said.value for said in page.text]
    assert [row["id"] for row in data_of(page, "list")["rows"]] == [failure_id_of(at) for at in range(1, 11)]
    assert "ValueError\nanswer" in [code.value for code in page.code]


def test_a_failure_that_is_the_only_one_says_so(open_page: OpenPage, mirror: Mirror) -> None:
    """Without a list of one, which is the failure itself; the algorithm's name is nothing that failures share."""
    record = failed(FailureType.EXCEPTION, number=5, fingerprint_parts=(ALGORITHM, "ValueError", "answer"))
    page = tab(open_page, mirror, record, "Similar failures")

    assert "No other failure has this cause." in [said.value for said in page.text]
    assert "ValueError\nanswer" in [code.value for code in page.code]


def test_verdicts_are_told_with_their_whole_reasons(open_page: OpenPage, mirror: Mirror) -> None:
    """A reason must not be cut by the width of a column; it may be in anybody's words."""
    flagged = Verdict(detector=GROUNDING, status=VerdictStatus.ERRORED, reason="![x](http://a.invalid/x) " * 20)
    page = tab(open_page, mirror, make_record(number=5, verdicts=(flagged,)), "Verdicts")

    told = [json.loads(node.proto.json) for node in page.get("bidi_component")]
    [blocks] = [data["blocks"] for data in told if data.get("title") == "Verdicts of the detectors"]
    assert [(block["headline"], block["text"]) for block in blocks] == [("grounding: errored", flagged.reason)]


def test_a_step_whose_claim_failed_did_not_fail_itself(open_page: OpenPage, mirror: Mirror) -> None:
    """It is marked as what failed, and its facts must say why, for it ended well."""
    record = failed(FailureType.HALLUCINATION_FLAG, of_record={"steps": (make_step("write", 0),)}, evidence=())

    facts = data_of(opened(open_page, mirror, record), "header")["facts"]

    assert "ok; the claim it made is what failed" in [fact["value"] for fact in facts]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (make_record(None, number=5), "This execution passed, so there is nothing like it to look for."),
        (make_record(number=5, logs=Logs()), "Nothing was logged or printed."),
        (inline(make_record(number=5, logs=Logs())), "Nothing was logged; inline keeps no output streams."),
        (
            inline(make_record(number=5, logs=Logs(), run_id=None, input={"args": [], "kwargs": {}})),
            "watch keeps no log and no output streams.",
        ),
    ],
    ids=["similar", "logs", "inline", "watched"],
)
def test_an_empty_tab_says_why(open_page: OpenPage, mirror: Mirror, record: TraceRecord, words: str) -> None:
    """A tab without content must not be a blank."""
    page = tab(open_page, mirror, record, "Logs" if record.failure else "Similar failures")

    assert words in [said.value for said in page.caption]


def test_the_whole_record_is_shown_in_part_and_offered_whole(open_page: OpenPage, mirror: Mirror) -> None:
    """A record of megabytes must show its beginning and say how much there is."""
    record = make_record(number=5, steps=tuple(make_step(f"step {at}", at, input="x" * 5000) for at in range(400)))

    page = tab(open_page, mirror, record, "Whole record")

    assert page.get("download_button")
    assert any("The first 64 KB of 2 MB" in said.value for said in page.caption)


# Bad states


def test_no_id_asks_for_one(open_page: OpenPage) -> None:
    """Without an id the page must say what to do, with a way to the list."""
    page = open_page("failure")

    assert not page.exception
    assert any("Open a failure by its id" in said.value for said in page.markdown)
    ends_with_a_title(page)


@pytest.mark.parametrize(
    "typed", ["nonsense", "0193f6c2", "' OR 1=1 --", "![x](http://attacker.invalid/p.png)", "9" * 5000]
)
def test_a_malformed_id_is_answered_with_what_one_looks_like(open_page: OpenPage, typed: str) -> None:
    """What holds no id must be answered by an example and a way on."""
    page = open_page("failure")

    page = page.text_input(key="failure_id").set_value(typed).run()

    assert not page.exception
    assert [error.value for error in page.error] == ["This is not a failure_id."]
    assert "0193f6c2-7a1b-7c3d-8e4f-0123456789ab" in page.text[0].value
    ends_with_a_title(page)


def test_an_unknown_id_is_named(open_page: OpenPage) -> None:
    """What was looked for must stay in the box, so that a cut-off id is seen."""
    page = open_page("failure", failure_id=failure_id_of(404))

    assert not page.exception
    assert any("No failure has this id" in said.value for said in page.markdown)
    assert page.text_input(key="failure_id").value == failure_id_of(404)
    assert data_of(page, "neighbours")["back"]["href"] == "failures"
    ends_with_a_title(page)


def test_of_a_passed_execution_whose_record_went_the_summary_is_told(
    open_page: OpenPage, mirror: Mirror, clean_environment: Path
) -> None:
    """Of passed executions only the newest records are kept: the others must not count as unknown."""
    with Mirror.open(clean_environment / "mirror.sqlite", keep_passed=0) as forgetful:
        forgetful.write([item(make_record(None, number=5))])

    page = open_page("failure", failure_id=f"{5:032x}")

    assert not page.exception
    assert any("Only a summary of this execution is kept" in said.value for said in page.markdown)
    assert any("answer, passed, took 12 ms" in said.value for said in page.text)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"schema_version": 2, "trace_id": "later"}', "upgrade failtrace to open it"),
        (b'{"schema_version": 1}', "does not fit its contract"),
        (b"no JSON at all", "is damaged"),
    ],
    ids=["newer", "misfit", "no-json"],
)
def test_a_record_that_cannot_be_decoded_shows_its_summary_and_its_bytes(
    open_page: OpenPage, mirror: Mirror, body: bytes, reason: str
) -> None:
    """A newer failtrace's record must be a sentence, what the list knows of it, and its bytes to take along."""
    mirror.write([(make_record(number=8, message="the kettle"), body)])

    page = open_page("failure", failure_id=failure_id_of(8))

    assert not page.exception
    assert [error.value for error in page.error] == ["This record cannot be read."]
    assert any(reason in said.value for said in page.text)
    assert [row["cells"]["message"] for row in data_of(page, "list")["rows"]] == ["the kettle"]
    assert page.get("download_button")
    ends_with_a_title(page)


def test_a_damaged_row_is_a_sentence(open_page: OpenPage, mirror: Mirror, clean_environment: Path) -> None:
    """Bytes that are not those that were stored must not be shown as the record; its summary must."""
    mirror.write([item(make_record(number=8))])
    damage = sqlite3.connect(clean_environment / "mirror.sqlite")
    with damage:
        damage.execute("UPDATE body SET body = x'7b7d'")
    damage.close()

    page = open_page("failure", failure_id=failure_id_of(8))

    assert not page.exception
    assert [error.value for error in page.error] == ["This record cannot be read."]
    assert any("its bytes do not match their sha256" in said.value for said in page.text)
    assert data_of(page, "list")["rows"][0]["id"] == failure_id_of(8)
    assert not page.get("download_button")


def test_a_mirror_that_vanished_is_a_sentence(open_page: OpenPage, mirror: Mirror, clean_environment: Path) -> None:
    """A file removed under the open page: what was read stays, what was not is a sentence with a way on."""
    mirror.write([item(make_record(number=5)), item(make_record(number=6))])
    page = open_page("failure", failure_id=failure_id_of(5))
    (clean_environment / "mirror.sqlite").rename(clean_environment / "elsewhere.sqlite")

    page = page.run()
    assert not page.exception
    assert facts_of(page)["Failure id"] == failure_id_of(5)
    page.session_state["view"] = "Similar failures"
    page = page.run()
    assert not page.exception
    assert [error.value for error in page.error] == ["The recorded executions cannot be read."]
    page = page.text_input(key="failure_id").set_value(failure_id_of(6)).run()
    assert not page.exception
    assert [error.value for error in page.error] == ["The store cannot be read."]
    assert ways_on(page) == ["See what is wrong"]


@pytest.fixture
def with_cosmos(cosmos: Cosmos, monkeypatch: pytest.MonkeyPatch) -> Cosmos:
    """The pages find this container in their environment."""
    for name, value in cosmos.environment.items():
        monkeypatch.setenv(name, value)
    return cosmos


def test_a_silent_cosmos_is_waited_for_in_words(with_cosmos: Cosmos, open_page: OpenPage, mirror: Mirror) -> None:
    """What only Cosmos DB may have is waited for, and said to be; what the mirror has is shown, with the reason."""
    mirror.write([item(make_record(number=5))])
    with with_cosmos.proxy.failing(lambda _: HANG):
        waiting = open_page("failure", failure_id=failure_id_of(404))
        page = open_page("failure", failure_id=failure_id_of(5))

    assert not waiting.exception
    assert any("Waiting for Cosmos DB" in said.value for said in waiting.markdown)
    assert not page.exception
    assert facts_of(page)["Read from"].startswith("this machine's mirror")
    assert data_of(page, "record")["note"].startswith("Why not from the store: Cosmos DB did not answer in time")


# What was read is kept for a moment


def found_of(number: int, size: int = 100) -> Found:
    return Found(make_record(number=number), "mirror", None, b"x" * size)


def test_a_record_is_read_once_while_it_is_fresh() -> None:
    """Every click runs the page: it must not read 20 MB again, nor remember for ever, nor that there was nothing."""
    now, asked = [0.0], list[str]()
    records = OpenedRecords(clock=lambda: now[0])

    def look() -> Found | None:
        asked.append("")
        return found_of(1)

    first = records.get("1", look)
    assert records.get("1", look) is first
    now[0] = FRESH_S
    records.get("1", look)
    assert len(asked) == 2
    assert records.get("2", lambda: None) is None
    assert records.get("2", lambda: found_of(2)) is not None


def test_records_are_kept_within_their_bytes() -> None:
    """Memory must not grow with what was opened; the newest stays, however large."""
    records = OpenedRecords(most_bytes=250, clock=lambda: 0.0)
    kept = {name: records.get(name, lambda: found_of(1)) for name in "abc"}

    fresh = found_of(9)
    assert records.get("c", lambda: fresh) is kept["c"]
    assert records.get("a", lambda: fresh) is fresh
    assert records.get("huge", lambda: found_of(1, 999)) is records.get("huge", lambda: fresh)
    assert records.get("c", lambda: fresh) is fresh

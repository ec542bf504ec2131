"""The failure page as a person uses it: from the list to the cause, along the list by keys, and what is taken along."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Locator, Page, expect
from support.records import failure_id_of, item, make_record, make_step

from failtrace.codec import decode_record
from failtrace.contracts import (
    ContractViolation,
    Crashed,
    DeadlineExceeded,
    DetectorInfo,
    ErrorInfo,
    FailureType,
    Returned,
    Termination,
    TraceRecord,
    UnsupportedClaim,
)
from failtrace.exchange.account import account
from failtrace.mirror.mirror import Mirror

HOSTILE = '![x](http://attacker.invalid/p.png)<img src="http://attacker.invalid/q.png" onerror="alert(1)"> **b** ```'
STACK = (
    'Traceback (most recent call last):\n  File "/srv/shop/orders.py", line 42, in answer\n    total = prices[order]\n'
)
OUTPUT = "Refunds take 14 days. " + "All else is on the page. " * 200 + "Opened items are refundable. " + HOSTILE
NOW = datetime.now(UTC)


def failed(number: int, kind: FailureType, *, of_record: dict[str, Any] | None = None, **changes: Any) -> TraceRecord:
    record = make_record(kind, number=number, ended_at=NOW - timedelta(minutes=number), **(of_record or {}))
    assert record.failure
    failure = record.failure.model_copy(update={"error": None, **changes})
    return record.model_copy(update={"failure": failure})


def claim(text: str, evidence: str, score: float) -> UnsupportedClaim:
    start = OUTPUT.index(text)
    return UnsupportedClaim(
        text=text,
        start=start,
        end=start + len(text),
        score=score,
        nearest_evidence=evidence,
        evidence_source="evidence[0]",
    )


DEATH = Termination(signal="SIGSEGV", last_open_step_id=f"{2:016x}")
ERROR = ErrorInfo(
    type="shop.errors.OutOfStock",
    message=HOSTILE,
    stacktrace=STACK,
    causes=(ErrorInfo(type="KeyError", message="'tea'", stacktrace=STACK, relation="cause"),),
)
RECORDS = (
    failed(1, FailureType.EXCEPTION, message="\n".join(["a long story"] * 40), error=ERROR),
    failed(
        2,
        FailureType.HALLUCINATION_FLAG,
        of_record={"output": OUTPUT, "outcome": Returned()},
        message="No evidence supports it.",
        detector=DetectorInfo(name="grounding", version="1"),
        evidence=(
            claim("14 days", "Refunds take 30 days.", 0.95),
            claim("Opened items are refundable.", "Opened items are not refundable.", 0.8),
        ),
    ),
    failed(
        3,
        FailureType.VALIDATION_ERROR,
        of_record={"output": {"number": "seven"}, "outcome": Returned()},
        evidence=(ContractViolation(location="number", rule="int_parsing", message=HOSTILE, value="seven"),),
    ),
    failed(
        4,
        FailureType.TIMEOUT,
        evidence=(DeadlineExceeded(limit_s=1, elapsed_s=1.1, stacks=f"Thread 0x1 (most recent call last):\n{STACK}"),),
    ),
    failed(
        5,
        FailureType.EXCEPTION,
        of_record={
            "outcome": Crashed(termination=DEATH, reason="The process was ended by SIGSEGV."),
            "steps": (make_step("load", 0), make_step("render the page", 1)),
        },
        termination=DEATH,
    ),
)
BIG = failed(6, FailureType.EXCEPTION, of_record={"input": ["x" * 1000] * 10_000}, error=ERROR)
SEEN_AT_ONCE = {
    1: "total = prices[order]",
    2: "Contradicted by evidence",
    3: "int_parsing",
    4: "It stood here:",
    5: "segmentation fault",
}


@pytest.fixture
def home(home: Path) -> Path:
    """A failure of each cause, the newest first by number, one of 10 MB, and an execution that passed."""
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write([item(record) for record in [*RECORDS, BIG, make_record(None, number=7)]])
    return home


def copied(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def bottom(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def test_why_it_failed_is_seen_without_scrolling(open_: Open, watch: Watch) -> None:
    """At 1440 by 900 what decides each kind of failure must stand in the first screen, hostile words inert."""
    for number, words in SEEN_AT_ONCE.items():
        page = open_(f"/failure?failure_id={failure_id_of(number)}")
        found = page.get_by_text(words, exact=False).first
        expect(found).to_be_visible()
        assert bottom(found) < 900, number
        page.close()
    assert (watch.foreign, watch.errors) == ([], [])


def test_the_list_is_walked_by_keys_and_left_by_its_link(open_: Open, watch: Watch) -> None:
    """Opened from a filtered list, ] and [ go along it, a typed bracket does not, and the link leads back to it."""
    page = open_(f"/failure?failure_id={failure_id_of(1)}&list_type=exception&list_sort=newest")
    shown = page.locator(".record")
    expect(shown.get_by_text(failure_id_of(1))).to_be_visible()

    page.keyboard.press("]")
    expect(shown.get_by_text(failure_id_of(5))).to_be_visible()
    box = page.get_by_label("Failure id or trace id")
    expect(box).to_have_value(failure_id_of(5))
    box.press("[")
    expect(box).to_have_value(f"[{failure_id_of(5)}")
    expect(shown.get_by_text(failure_id_of(5))).to_be_visible()
    page.go_back()
    expect(shown.get_by_text(failure_id_of(1))).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(shown.get_by_text(failure_id_of(5))).to_be_visible()

    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator(f"a[href*='{failure_id_of(1)}']").first).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["type"] == ["exception"]
    assert (watch.foreign, watch.errors) == ([], [])


def test_a_pasted_line_opens_and_leaves_the_id_alone(open_: Open, watch: Watch) -> None:
    """A log line in the box must open its failure, and the address become a link that can be sent."""
    page = open_("/failure")
    box = page.get_by_label("Failure id or trace id")

    box.fill(f'ERROR run_id=x {{"failure_id": "{failure_id_of(3)}"}} ')
    box.press("Enter")

    expect(page.locator(".record").get_by_text(failure_id_of(3))).to_be_visible()
    expect(box).to_have_value(failure_id_of(3))
    expect(page).to_have_url(re.compile(rf"/failure\?failure_id={failure_id_of(3)}$"))
    assert watch.errors == []


def test_the_account_the_id_and_a_link_are_taken_along(open_: Open, watch: Watch) -> None:
    """What the buttons copy must be the account, the id, and a link that opens the same failure elsewhere."""
    page = open_(f"/failure?failure_id={failure_id_of(1)}&list_type=exception")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.get_by_text("Read from")).to_be_visible()

    assert copied(page, "Copy for a coding agent") == account(RECORDS[0], similar=6)
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    assert copied(page, "Copy id") == failure_id_of(1)
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    link = copied(page, "Copy link")
    assert link == page.url.partition("/failure")[0] + f"/failure?failure_id={failure_id_of(1)}"
    compare = page.get_by_role("link", name="Compare with a passing execution")
    assert compare.get_attribute("href") == f"compare?left={failure_id_of(1)}&right={7:032x}"
    assert watch.errors == []


def test_a_long_message_is_clamped_until_asked_for(open_: Open) -> None:
    """Forty lines must not push the cause off the screen; More must show them, and Less hide them again."""
    page = open_(f"/failure?failure_id={failure_id_of(1)}")
    message = page.locator(".record .message")
    expect(message).to_be_visible()
    short = bottom(message)

    page.get_by_role("button", name="more").click()
    assert bottom(message) > short + 100
    page.get_by_role("button", name="less").click()
    assert bottom(message) == short

    short_one = open_(f"/failure?failure_id={failure_id_of(2)}")
    expect(short_one.locator(".record .message")).to_be_visible()
    expect(short_one.get_by_role("button", name="more")).to_be_hidden()


def test_a_stack_and_its_cause_unfold_by_keyboard(open_: Open) -> None:
    """What is folded must come by Enter, with nothing asked of the server."""
    page = open_(f"/failure?failure_id={failure_id_of(1)}")
    cause = page.locator(".cause").first
    expect(cause.get_by_text("Caused by")).to_be_visible()
    expect(cause.get_by_text("Traceback (most recent call last):").first).to_be_hidden()

    cause.locator("summary", has_text="Whole stack").last.press("Enter")

    expect(cause.locator("pre", has_text="OutOfStock").last).to_be_visible()


def test_a_note_leads_to_its_mark(open_: Open) -> None:
    """A claim far down the output must be brought into view by its note, by mouse and by keyboard, and lit up."""
    page = open_(f"/failure?failure_id={failure_id_of(2)}")
    marks, notes = page.locator("mark"), page.locator(".note")
    expect(marks).to_have_count(2)
    expect(marks.last).not_to_be_in_viewport()

    notes.last.press("Enter")

    expect(marks.last).to_be_in_viewport()
    expect(marks.last).to_have_class("lit")
    assert marks.all_inner_texts() == ["14 days1", "Opened items are refundable.2"]
    notes.first.click()
    expect(marks.first).to_be_in_viewport()


def test_the_last_open_step_is_one_click_away(open_: Open, watch: Watch) -> None:
    """From how it died to the step it died in, within the page."""
    page = open_(f"/failure?failure_id={failure_id_of(5)}")

    page.locator(".cause").get_by_role("link", name="render the page").click()

    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("render the page")
    assert f"step={2:016x}" in page.url
    assert watch.errors == []


def test_ten_megabytes_open_with_all_their_tabs(open_: Open, watch: Watch) -> None:
    """A large record must open, show each tab, and stay a record that can be downloaded whole."""
    page = open_(f"/failure?failure_id={failure_id_of(6)}")
    expect(page.get_by_text("Read from")).to_be_visible()

    for name, words in {
        "Similar failures": "6 failures have this cause",
        "Logs": "Nothing was logged or printed.",
        "Whole record": "the download holds all",
    }.items():
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_text(words)).to_be_visible()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download record").click()
    assert decode_record(begun.value.path().read_bytes()) == BIG
    assert watch.errors == []


def test_a_mirror_that_vanishes_under_the_page_leaves_sentences(open_: Open, home: Path, watch: Watch) -> None:
    """Files may go while a page is open: the next question must be answered in words, with a way on."""
    page = open_(f"/failure?failure_id={failure_id_of(1)}")
    expect(page.get_by_text("Read from")).to_be_visible()
    for file in home.glob("mirror.sqlite*"):
        file.unlink()

    page.get_by_role("tab", name="Similar failures").click()
    expect(page.get_by_text("The recorded executions cannot be read.")).to_be_visible()
    box = page.get_by_label("Failure id or trace id")
    box.fill(failure_id_of(2))
    box.press("Enter")

    expect(page.get_by_text("The store cannot be read.")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_role("link", name="See what is wrong")).to_be_visible()
    assert watch.errors == []


@pytest.mark.parametrize("width", [390, 1440, 1920])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_width_has_to_be_scrolled_sideways(open_: Open, width: int, number: int) -> None:
    """On a telephone and on a wide screen the head and the cause must fit."""
    page = open_(f"/failure?failure_id={failure_id_of(number)}")
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_text("Read from")).to_be_visible()
    for found in (page.locator(".record"), page.locator(".cause, .marked").first):
        expect(found).to_be_visible()
        box = found.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width

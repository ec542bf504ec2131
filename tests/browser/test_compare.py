"""Two records side by side as a person compares them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import expect
from support.records import failure_id_of, item, make_record, make_step

from failtrace.contracts import FailureType, TraceRecord
from failtrace.mirror.mirror import Mirror

NOW = datetime.now(UTC)
FAILED, PASSED, LATER = 1, 2, 3


def execution(number: int, kind: FailureType | None, found: list[str]) -> TraceRecord:
    """An agent that plans, searches, and answers: what its search found decides."""
    steps = (
        make_step("plan", 0, output={"query": "kettle"}),
        make_step("search", 1, output=found),
        *([] if kind else [make_step("answer", 2, output="A kettle.")]),
    )
    return make_record(kind, number=number, steps=steps, ended_at=NOW - timedelta(minutes=number))


@pytest.fixture
def home(home: Path) -> Path:
    """A failure, and two executions of the same subject that passed."""
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write(
            [
                item(execution(FAILED, FailureType.EXCEPTION, [])),
                item(execution(PASSED, None, ["a", "b"])),
                item(execution(LATER, None, ["c"])),
            ]
        )
    return home


def test_a_failure_stands_beside_what_passed_and_the_first_difference_is_chosen(open_: Open, watch: Watch) -> None:
    """From the failure's page: its passing twin, the first step that differs, both values, and the way back."""
    page = open_(f"/failure?failure_id={failure_id_of(FAILED)}")
    page.get_by_role("main").get_by_role("link", name=re.compile("Compare")).first.click()

    expect(page).to_have_url(re.compile(f"/compare.*{failure_id_of(FAILED)}"))
    expect(page.get_by_text("The first difference: step 'search' gave 0 items on the left and 2 items")).to_be_visible()
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_contain_text("search")
    page.get_by_role("listbox", name=re.compile("Pairs of steps")).focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("answer")
    assert (watch.foreign, watch.errors) == ([], [])


def test_sides_are_turned_round_and_another_execution_is_chosen(open_: Open, watch: Watch) -> None:
    """The address follows, so that a reload and a link show the same two."""
    left, right = failure_id_of(FAILED), f"{LATER:032x}"
    page = open_(f"/compare?left={left}&right={right}")
    expect(page.get_by_text("0 items on the left and 1 item on the right")).to_be_visible()

    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_text("1 item on the left and 0 items on the right")).to_be_visible()
    expect(page).to_have_url(re.compile(f"left={right}&right={left}"))
    page.reload()
    expect(page.get_by_text("1 item on the left and 0 items on the right")).to_be_visible()
    assert (watch.foreign, watch.errors) == ([], [])


def test_the_passing_twin_stands_in_its_box_and_gives_way(open_: Open, watch: Watch) -> None:
    """It can be swapped, typed over with what is no id, and chosen anew; Back leads through all of that."""
    left, twin = failure_id_of(FAILED), f"{PASSED:032x}"
    page = open_(f"/compare?left={left}")
    boxes = page.get_by_label("Left", exact=True), page.get_by_label("Right", exact=True)
    expect(boxes[1]).to_have_value(twin)

    page.get_by_role("button", name="Swap").click()
    expect(boxes[0]).to_have_value(twin)
    expect(boxes[1]).to_have_value(left)
    boxes[1].fill("no such thing")
    boxes[1].press("Enter")
    expect(page.get_by_text("This is not a failure_id.")).to_be_visible()
    expect(boxes[1]).to_have_value("no such thing")
    page.go_back()
    expect(boxes[1]).to_have_value(left)

    page.get_by_role("button", name="Compare with another execution").click()
    page.get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile("Passed")).click()
    expect(boxes[1]).to_have_value(f"{LATER:032x}")
    assert (watch.foreign, watch.errors) == ([], [])


def test_only_what_differs_stays_when_asked(open_: Open) -> None:
    """Steps that are the same on both sides go out of sight."""
    page = open_(f"/compare?left={failure_id_of(FAILED)}")
    expect(page.get_by_role("option")).to_have_count(3)

    page.get_by_text("Only differences").click()

    expect(page.get_by_role("option")).to_have_count(2)
    expect(page.get_by_role("option").filter(has_text="plan")).to_have_count(0)

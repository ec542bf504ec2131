"""The timeline as a person uses it: by mouse, by keys, by its filter, by a link; over three steps and over 30,000."""

from datetime import timedelta
from pathlib import Path

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Locator, Page, expect
from support.records import NOON, failure_id_of, item, make_record, make_step

from failtrace.contracts import EndedBy, FailureType, StepKind, StepStatus, TraceRecord
from failtrace.mirror.mirror import Mirror

HOSTILE = '<img src="http://attacker.invalid/q.png" onerror="alert(1)">'
MANY = 30_000
SMALL, LARGE = f"/failure?failure_id={failure_id_of(1)}", f"/failure?failure_id={failure_id_of(2)}"


def small() -> TraceRecord:
    """An agent with a tool that hung and one that failed, and hostile words."""
    root = f"{1:016x}"
    steps = (
        make_step("agent", 0, kind=StepKind.AGENT, duration_ms=90.0),
        make_step("plan", 1, parent_id=root, kind=StepKind.LLM, attributes={"gen_ai.usage.input_tokens": 1812}),
        make_step(HOSTILE, 2, parent_id=root, kind=StepKind.TOOL, ended_by=EndedBy.TIMEOUT, output=HOSTILE),
        make_step("pay", 3, parent_id=root, kind=StepKind.TOOL, status=StepStatus.ERROR, duration_ms=30.0),
    )  # fmt: skip
    return with_failing(make_record(FailureType.EXCEPTION, number=1, steps=steps, duration_ms=100.0), steps[3].step_id)


def large() -> TraceRecord:
    """30,000 steps in a tree of thirties, of which the last failed."""
    steps = tuple(
        [
            make_step(
                f"step {at}",
                at,
                parent_id=f"{(at - 1) // 30 + 1:016x}" if at else None,
                started_at=NOON + timedelta(microseconds=at),
                output=at,
            )
            for at in range(MANY)
        ]
    )
    return with_failing(make_record(FailureType.EXCEPTION, number=2, steps=steps, duration_ms=40.0), steps[-1].step_id)


def with_failing(record: TraceRecord, step_id: str) -> TraceRecord:
    assert record.failure
    return record.model_copy(update={"failure": record.failure.model_copy(update={"step_id": step_id})})


@pytest.fixture
def home(home: Path) -> Path:
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write([item(small()), item(large())])
    return home


def chosen(page: Page) -> Locator:
    return page.locator('[role="treeitem"][aria-selected="true"]')


def detail(page: Page) -> Locator:
    """The head of the chosen step's detail."""
    return page.locator(".header .title")


def test_the_failing_step_is_chosen_and_another_by_click_keys_or_link(open_: Open, watch: Watch) -> None:
    """A choice draws its detail, stands in the address, and comes back by that address; Back does not walk steps."""
    page = open_(SMALL)
    expect(chosen(page)).to_contain_text("pay")
    expect(detail(page)).to_have_text("pay")

    page.get_by_role("treeitem", name="plan").click()
    expect(detail(page)).to_have_text("plan")
    expect(page.get_by_text("1,812")).to_be_visible()
    page.get_by_role("tree").press("ArrowDown")
    expect(detail(page)).to_have_text(HOSTILE)
    assert f"step={3:016x}" in page.url
    again = open_(page.url.partition("://")[2].partition("/")[2].join(["/", ""]))
    expect(chosen(again)).to_contain_text(HOSTILE)
    expect(again.get_by_role("treeitem", name="was open at the deadline")).to_be_visible()
    again.get_by_role("tree").press("f")
    expect(detail(again)).to_have_text("pay")

    assert (watch.foreign, watch.errors) == ([], [])


@pytest.mark.parametrize("width", [1440, 420])
def test_the_axis_and_the_rows_tell_the_same_times_as_the_page(open_: Open, width: int) -> None:
    """The axis ends with the whole time and its unit, however narrow it is; a step's time reads as beside it."""
    page = open_(SMALL)
    page.set_viewport_size({"width": width, "height": 900})

    expect(page.locator(".tick").first).to_have_text("0")
    expect(page.locator(".tick").last).to_have_text("103 ms")
    expect(chosen(page).locator(".took")).to_have_text("30 ms")
    expect(page.locator(".header").get_by_text("30 ms, 30 % of all")).to_be_visible()


def test_steps_are_found_by_text_kind_and_status(open_: Open) -> None:
    """The filter keeps the ancestors of what it finds, and says how many it found."""
    page = open_(SMALL)
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(4)

    page.get_by_label("Find steps by name").fill("PLAN")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("1 of 4 steps")).to_be_visible()
    page.get_by_label("Find steps by name").fill("")
    page.get_by_label("Kind of step").select_option("tool")
    expect(rows).to_have_count(3)
    page.get_by_label("Status of step").select_option("open")
    expect(page.get_by_text("1 of 4 steps")).to_be_visible()
    page.get_by_label("Find steps by name").fill("nothing like it")
    expect(page.get_by_text("No step matches.")).to_be_visible()


def test_a_part_is_folded_and_looked_at_closely(open_: Open) -> None:
    """Left folds, Right unfolds, Enter gives the part the whole width, Escape gives it back."""
    page = open_(SMALL)
    tree, rows = page.get_by_role("tree"), page.get_by_role("treeitem")
    rows.first.click()
    tree.press("ArrowLeft")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("3 steps")
    tree.press("ArrowRight")
    expect(rows).to_have_count(4)
    page.get_by_role("treeitem", name="plan").dblclick()
    expect(rows).to_have_count(4)


def test_thirty_thousand_steps_are_walked(open_: Open, watch: Watch) -> None:
    """Few rows are in the document; the failing one, the last, a found one and the first are reached at once."""
    page = open_(LARGE)
    rows = page.get_by_role("treeitem")
    expect(chosen(page)).to_contain_text(f"step {MANY - 1}")
    assert rows.count() < 60

    page.get_by_label("Find steps by name").fill("step 17777")
    expect(page.get_by_text("1 of 30,000 steps")).to_be_visible()
    page.get_by_label("Find steps by name").press("Enter")
    expect(detail(page)).to_have_text("step 17777")
    page.get_by_role("tree").press("Home")
    expect(detail(page)).to_have_text("step 0")
    page.get_by_label("Find steps by name").fill("")
    page.get_by_role("button", name="Failing step").click()
    expect(detail(page)).to_have_text(f"step {MANY - 1}")
    assert rows.count() < 60

    assert (watch.foreign, watch.errors) == ([], [])


def test_a_step_that_is_not_there_is_said(open_: Open) -> None:
    """A foreign step in the address: words, and the step to begin with."""
    page = open_(f"{SMALL}&step=ffffffffffffffff")

    expect(page.get_by_text("The address names a step that is not in this record")).to_be_visible()
    expect(chosen(page)).to_contain_text("pay")

"""Runs as a person starts, watches, cancels and leaves them."""

import json
from pathlib import Path

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Page, expect

LONG = '{"any": 1}\n' * 400


def choose(page: Page, subject: str) -> None:
    """This subject alone: found by its name, ticked from the keyboard."""
    everything = page.get_by_label("Choose all that are shown")
    everything.uncheck()
    page.get_by_label("Search subjects").fill(subject)
    page.get_by_label("Search subjects").press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="1 of ")).to_be_visible()


def paste(page: Page, lines: str) -> None:
    page.get_by_role("radio", name="Pasted JSON").or_(page.get_by_text("Pasted JSON")).first.click()
    box = page.get_by_label("One JSON value, an array")
    box.fill(lines)
    box.press("ControlOrMeta+Enter")


@pytest.fixture
def started(open_: Open) -> Page:
    """A run of 400 hanging executions that has begun."""
    page = open_("/run")
    choose(page, "hang_in_sleep")
    paste(page, LONG)
    expect(page.get_by_text("1 subject on 400 inputs: 400 executions")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("of 400 ended")).to_be_visible()
    return page


def test_a_run_is_watched_from_every_tab_and_outlives_its_own(started: Page, open_: Open, watch: Watch) -> None:
    """The tab that started it is closed; another shows the same run, its pace and rows, cancels it, and stays well."""
    address = started.url
    other = open_("/run")
    expect(other.get_by_text("of 400 ended")).to_be_visible()
    started.close()

    rows = other.locator("a.row[href^='failure?']")
    expect(rows.nth(2)).to_be_visible()
    expect(other.get_by_text(" per second · ")).to_be_visible()
    other.get_by_role("button", name="Cancel").click()
    expect(other.get_by_text("Cancelled").first).to_be_visible()
    expect(other.get_by_text("had ended or begun and are recorded")).to_be_visible()
    run_id = address.partition("run_id=")[2]
    expect(other.locator(f"a.row[href*='{run_id}']")).to_be_visible()
    assert (watch.foreign, watch.errors) == ([], [])


def test_a_file_is_previewed_and_its_run_repeated(open_: Open, tmp_path: Path, watch: Watch) -> None:
    """Errors by line before anything runs; afterwards the same again with one click, compared with the first."""
    file = tmp_path / "inputs.jsonl"
    file.write_text(json.dumps({"city": "Bergen"}) + "\nnot json\n" + json.dumps({"city": "Atlantis"}) + "\n")
    page = open_("/run")
    choose(page, "fails_for_some_inputs")
    page.get_by_text("A file", exact=True).click()
    page.locator('input[type="file"]').set_input_files(file)
    expect(page.get_by_text("Line 2 is not JSON")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    page.get_by_role("radio", name="Skip").click()
    expect(page.get_by_text("1 subject on 2 inputs: 2 executions")).to_be_visible()

    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Finished").first).to_be_visible()
    first = page.url
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Still failing").first).to_be_visible()

    assert page.url != first
    expect(page.get_by_text("Passing in both")).to_be_visible()
    assert (watch.foreign, watch.errors) == ([], [])

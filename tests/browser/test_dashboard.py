"""The dashboard in a real Chromium, on servers that nobody has asked anything before."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser.test_run import choose
from playwright.sync_api import Page, expect
from support.records import failure_id_of, item, make_record, make_step

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

Open = Callable[[str], Page]
HOSTILE = '![x](http://attacker.invalid/p.png)<img src="http://attacker.invalid/q.png" onerror="alert(1)"> **b**'


@pytest.fixture
def home(home: Path) -> Path:
    """One failure whose every word is hostile."""
    record = make_record(
        FailureType.EXCEPTION,
        number=1,
        subject=HOSTILE,
        message=HOSTILE,
        ended_at=datetime.now(UTC),
        steps=(make_step(HOSTILE, 0, output=HOSTILE), make_step("second", 1, input={HOSTILE: HOSTILE})),
    )
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write([item(record)])
    return home


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/overview", "Newest failures"),
        ("/run", "Nothing has run yet."),
        ("/compare", "Paste two ids above, or open a failure and choose to compare it."),
        ("/failures", "1 of 1"),
        (f"/failure?failure_id={failure_id_of(1)}", "Read from"),
        ("/health", "This installation"),
    ],
)
def test_every_page_stands_as_the_first_request_of_a_fresh_server(
    open_: Open, watch: Any, path: str, words: str
) -> None:
    """A deep link must show its page with the navigation, hostile text inert, nothing asked of any other host."""
    page = open_(path)

    expect(page.get_by_text(words, exact=True).first).to_be_visible()
    navigation = page.get_by_test_id("stSidebar").get_by_role("link")
    expect(navigation).to_have_count(6)
    if path not in ("/run", "/compare", "/health"):
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
    navigation.filter(has_text="Failures").click()
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
    assert page.url.endswith("/failures")
    assert (watch.foreign, watch.errors) == ([], [])


def test_a_run_from_the_page_and_its_failure_in_a_new_tab(open_: Open, watch: Any) -> None:
    """The button must run what was chosen; a failure must open by its id in a new tab, and in place, with one Back."""
    page = open_("/run")
    choose(page, "exception_three_steps_deep")
    page.get_by_role("button", name="Run", exact=True).click()

    failures = page.locator("a.row[href^='failure?']")
    expect(failures.first).to_be_visible()
    expect(page.get_by_text("Finished").first).to_be_visible()
    assert "run_id=" in page.url
    with page.context.expect_page() as opened:
        failures.first.click(modifiers=["ControlOrMeta"])
    tab = opened.value
    tab.bring_to_front()  # a tab in the background is drawn only now and then
    failure_id = tab.url.partition("failure_id=")[2]

    expect(tab.get_by_text(failure_id, exact=True)).to_be_visible()
    steps = tab.get_by_role("treeitem")
    expect(steps.first).to_be_visible()
    steps.first.click()
    expect(steps.first).to_have_attribute("aria-selected", "true")

    page.bring_to_front()
    failures.first.click()
    expect(page.get_by_text(failure_id, exact=True)).to_be_visible()
    page.go_back()
    expect(failures.first).to_be_visible()
    assert "/run?run_id=" in page.url
    assert (watch.foreign, watch.errors) == ([], [])


def test_an_open_tab_goes_on_when_another_process_rescues_the_mirror(open_: Open, home: Path) -> None:
    """Without a reload and a restart: it says that there was a rescue, and what comes then is shown."""
    page = open_("/failures")
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
    mirror = home / "mirror.sqlite"
    # So that the file itself is read, and not what its log still has of it.
    with closing(sqlite3.connect(mirror)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with mirror.open("r+b") as file:
        file.write(b"\xff" * 100)

    rescuer = subprocess.run([sys.executable, "-m", "failtrace", "list"], capture_output=True, text=True, check=False)
    assert "The mirror was damaged" in rescuer.stderr

    expect(page.get_by_text("A damaged mirror was set aside. Health says what became of it.")).to_be_visible()
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    with Mirror.open(mirror) as rescued:
        rescued.write([item(make_record(FailureType.TIMEOUT, number=2, ended_at=datetime.now(UTC)))])
    page.get_by_role("button", name="1 new failure · show").click()
    expect(page.get_by_text("1–2 of 2", exact=True)).to_be_visible()

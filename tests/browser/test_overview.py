"""The overview in a real Chromium: its marks are ways in, by mouse and by keyboard, and it follows the mirror."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect
from support.records import item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

Open = Callable[..., Page]
EXCEPTION, TIMEOUT = FailureType.EXCEPTION, FailureType.TIMEOUT
HOSTILE = '![x](http://attacker.invalid/p.png)<img src="http://attacker.invalid/q.png" onerror="alert(1)"> & **b**'
NEW_WITHIN_MS = 5_000
"""What the page promises: a new failure shows by itself within five seconds."""


@pytest.fixture
def mirror(home: Path) -> Iterator[Mirror]:
    """Five failures, today and two days ago: four of a subject with a hostile name, one of `swift`."""
    moment = datetime.now(UTC)
    failures = [(EXCEPTION, HOSTILE, 0), (EXCEPTION, HOSTILE, 0), (EXCEPTION, HOSTILE, 2), (TIMEOUT, HOSTILE, 0)]
    failures += [(TIMEOUT, "swift", 2)]
    with Mirror.open(home / "mirror.sqlite") as opened:
        opened.write(
            [
                item(make_record(kind, subject=subject, number=at, ended_at=moment - timedelta(days=days)))
                for at, (kind, subject, days) in enumerate(failures, start=1)
            ]
        )
        yield opened


@pytest.fixture
def page(mirror: Mirror, open_: Open) -> Page:
    """The overview, drawn."""
    del mirror
    page = open_("/")
    expect(page.get_by_text("Newest failures")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("swift")).first).to_be_visible()
    return page


def metric(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def part(page: Page, words: str) -> Locator:
    """The last mark of the chart over time that says these words."""
    return page.locator(".plot a").and_(page.get_by_label(re.compile(words))).last


def expect_list(page: Page, count: int) -> None:
    """The list of failures, with so many in it."""
    expect(page).to_have_url(re.compile(r"/failures\?"))
    expect(page.locator("a.row[href^='failure?']")).to_have_count(count)


def test_each_kind_of_mark_opens_the_failures_it_counts(page: Page, watch: Any) -> None:
    """From a column, a bar, a cell and a row to the list of exactly those, and Back to the same overview."""
    ways = [
        (part(page, r"2 Exception$"), 2),
        (page.get_by_role("link", name="Timeout: 2 failures"), 2),
        (page.get_by_role("row", name=re.compile("attacker")).get_by_role("link", name="Exception: 3"), 3),
        (page.get_by_role("link", name=re.compile("^swift: p50 .* 1 failure$")), 1),
    ]
    for mark, count in ways:
        mark.click()
        expect_list(page, count)
        page.go_back()
        expect(page.get_by_text("Newest failures")).to_be_visible()
        expect(metric(page, "Executions")).to_have_text("5")
    assert (watch.foreign, watch.errors) == ([], [])


def test_the_keyboard_goes_where_the_mouse_goes(page: Page, watch: Any) -> None:
    """One Tab into the chart, arrows from mark to mark, Enter opens; the table under it holds the same numbers."""
    newest = page.locator(".plot a[tabindex='0']")
    expect(newest).to_have_count(1)
    newest.focus()
    page.keyboard.press("ArrowDown")
    expect(part(page, "2 Exception$")).to_be_focused()
    expect(page.get_by_text("3 of 3 executions failed")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".plot a:focus")).to_have_attribute("aria-label", re.compile("1 Exception$"))
    page.keyboard.press("End")
    expect(part(page, "1 Timeout$")).to_be_focused()

    page.get_by_text("The numbers as a table").focus()
    page.keyboard.press("Enter")
    table = page.locator("details table")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["Time, UTC", "Exception", "Timeout", "Failures", "Executions"]
    )
    expect(table.locator("tr").last.get_by_role("cell")).to_have_text(["2", "1", "3", "3"])
    expect(table.locator("tr")).to_have_count(3)

    newest.focus()
    page.keyboard.press("Enter")
    expect_list(page, 1)
    assert (watch.foreign, watch.errors) == ([], [])


def test_a_new_failure_shows_by_itself_and_disturbs_nothing(page: Page, mirror: Mirror, watch: Any) -> None:
    """Filter, open table, focus, scroll and a half typed word must be as they were when the numbers have changed."""
    page.set_viewport_size({"width": 1000, "height": 500})
    chosen = page.get_by_test_id("stMultiSelect")
    chosen.get_by_role("combobox").fill("swift")
    page.get_by_role("option", name="swift").click()
    expect(metric(page, "Executions")).to_have_text("1")
    page.get_by_text("The numbers as a table").click()
    link = page.locator("details table a").last
    link.focus()
    scrolled = page.get_by_test_id("stMain").evaluate("node => node.scrollTop")
    assert scrolled > 0

    mirror.write([item(make_record(TIMEOUT, subject="swift", number=50, ended_at=datetime.now(UTC)))])

    expect(metric(page, "Failures").first).to_have_text("2", timeout=NEW_WITHIN_MS)
    expect(page.locator("a.row[href^='failure?']")).to_have_count(2)
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollTop") == scrolled
    expect(page.locator("details table tr")).to_have_count(3)
    expect(page.locator("details table a:focus")).to_have_count(1)
    expect(chosen.get_by_text("swift")).to_be_visible()
    assert "subject=swift" in page.url

    page.set_viewport_size({"width": 1000, "height": 2000})  # a scroll would close the list of options
    chosen.get_by_role("combobox").fill("attack")
    mirror.write([item(make_record(TIMEOUT, subject="swift", number=51, ended_at=datetime.now(UTC)))])
    expect(metric(page, "Failures").first).to_have_text("3", timeout=NEW_WITHIN_MS)
    expect(chosen.get_by_role("combobox")).to_have_value("attack")
    expect(page.get_by_role("option")).to_have_count(1)
    assert watch.errors == []


def test_while_nothing_is_written_nothing_is_drawn(mirror: Mirror, open_: Open) -> None:
    """An unchanged mirror must leave every mark in its place: the page looks, and does not draw."""
    del mirror
    page = open_("/")
    expect(page.locator(".plot a").first).to_be_visible()
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.reload()
    expect(page.locator(".plot a").first).to_be_visible()

    def undisturbed() -> bool:
        page.locator(".plot a").first.evaluate("node => { node.tagged = true }")
        for _ in range(3):
            sockets[-1].wait_for_event("framesent")
        return bool(page.locator(".plot a").first.evaluate("node => node.tagged === true"))

    # Once a minute the page is drawn all the same, so that ages stay true: two windows cannot both hold that moment.
    assert undisturbed() or undisturbed()


@pytest.mark.parametrize("width", [390, 1440, 1920])
def test_the_page_fits_every_screen(page: Page, width: int) -> None:
    """Nothing may reach over the side of the page, and no chart may bring a library's tools."""
    page.set_viewport_size({"width": width, "height": 900})

    expect(part(page, "2 Exception$")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth")
    for name in (".chart", ".bars", "table"):
        inside = "nodes => nodes.every(node => node.getBoundingClientRect().right <= innerWidth)"
        assert page.locator(name).evaluate_all(inside)
    expect(page.get_by_test_id("stElementToolbar")).to_have_count(0)
    expect(page.locator("canvas, .vega-embed")).to_have_count(0)


def test_colours_follow_the_theme(page: Page) -> None:
    """In the dark each type must have its dark colour, the same in the chart as in the lists."""

    def tone(mark: Locator) -> str:
        return str(mark.evaluate("node => getComputedStyle(node).backgroundColor"))

    mark = part(page, "2 Exception$")
    light = tone(mark)
    page.emulate_media(color_scheme="dark")
    expect(mark).not_to_have_css("background-color", light)
    assert light == "rgb(164, 53, 42)"
    assert tone(mark) == "rgb(240, 83, 45)"

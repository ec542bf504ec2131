"""Every page in a browser, over ten thousand and a million executions, against an empty Streamlit page.

First content is the first frame that shows something of the page's own; a page is complete at the first frame in
which its last part is there and Streamlit has come to rest. All by the page's own clock, each load in a fresh browser
context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.browser import APP, FLAGS, START_LIMIT_S, chromium, missing, served
from benchmarks.harness import Goal, Pair, Row, in_time, seconds_more
from benchmarks.heavy import heavy_home
from benchmarks.places import scratch
from benchmarks.population import populated
from failtrace.mirror.mirror import Mirror

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EMPTY = 'import streamlit as st\n\nst.title("Empty")\n'
SMALL = 10_000
FIRST = Goal(must=0.5, aim=0.2, unit=" s more", reading=seconds_more)
COMPLETE = Goal(must=1.5, aim=0.7, unit=" s more", reading=seconds_more)
OPENED = Goal(must=1.0, aim=0.5, unit=" s more", reading=seconds_more)
HUGE = Goal(must=3.0, aim=1.5, unit=" s more", reading=seconds_more)
EMPTY_PAGE = "an empty Streamlit page"

# Asked from outside, a page that is busy drawing answers late. Components draw into shadow roots of their own.
_WATCH = """
    (() => {
        const inside = (root, what) => root.querySelector(what)
            || [...root.querySelectorAll('[data-testid^="stBidi"] *, [data-testid^="stBidi"]')]
                .some((node) => node.shadowRoot && inside(node.shadowRoot, what));
        window.watchFor = (first, last) => {
            window.firstAt = window.completeAt = null;
            const look = () => {
                if (window.firstAt === null && inside(document, first)) window.firstAt = performance.now();
                const app = document.querySelector('[data-testid="stApp"]');
                const rests = app?.dataset.testScriptState === "notRunning"
                    && !document.querySelector('[data-testid="stSkeleton"]');
                if (window.firstAt !== null && rests && inside(document, last))
                    requestAnimationFrame(() => { window.completeAt = performance.now(); });
                else requestAnimationFrame(look);
            };
            look();
        };
    })();
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A page, what shows that it has begun, and what shows that its last part is there."""

    name: str
    path: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds until the first content and until the page was complete."""

    first: float
    complete: float


_HEADING = '[data-testid="stHeading"]'
_NOTHING = Visit("empty", "/", _HEADING, _HEADING)


def measure(rounds: int, size: int) -> tuple[Row, ...]:
    """Rows for each page at both sizes, then for what is opened from the list and for records of the heavy kind."""
    absent = missing()
    if absent:
        return (Row("pages in Chromium", EMPTY_PAGE, FIRST, (), in_time, f"skipped: {absent} not found"),)
    from playwright.sync_api import sync_playwright

    rows: list[Row] = []
    with scratch() as folder, sync_playwright() as playwright:
        empty = folder / "empty.py"
        empty.write_text(EMPTY, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for executions in sorted({SMALL, size}):
            home = populated(executions)
            with served(empty, home) as floor, served(APP, home) as url:
                for visit in _visits(home):
                    rows += _page_rows(browser, floor, url, visit, f"at {executions:,}", rounds, (FIRST, COMPLETE))
                if executions == size:
                    rows.append(_opened_row(browser, floor, url, f"at {executions:,}", rounds))
        rows += _heavy_rows(browser, empty, rounds)
        browser.close()
    return tuple(rows)


def _visits(home: Path) -> Iterator[Visit]:
    with Mirror.open(home / "mirror.sqlite") as mirror:
        failure_id = str(mirror.failures(limit=1).rows[0].failure_id)
        run_id = mirror.runs(limit=1).rows[0].run_id
    yield Visit("overview", "/?range=all", _HEADING, "a.row")
    yield Visit("run", f"/run?run_id={run_id}", _HEADING, "a.row")
    yield Visit("failures", "/failures", _HEADING, "a.row")
    yield Visit("failure", f"/failure?failure_id={failure_id}", ".header .title", ".step")
    yield Visit("compare", f"/compare?left={failure_id}", _HEADING, _HEADING)
    yield Visit("health", "/health", _HEADING, _HEADING)


def _heavy_rows(browser: Browser, empty: Path, rounds: int) -> Iterator[Row]:
    home = heavy_home()
    with served(empty, home.path) as floor, served(APP, home.path) as url:
        for words, failure_id, goal in (
            ("of 30,000 steps", home.many_steps, OPENED),
            ("of 20 MB", home.large, HUGE),
        ):
            visit = Visit("failure", f"/failure?failure_id={failure_id}", ".header .title", ".step")
            yield from _page_rows(browser, floor, url, visit, words, rounds, (goal, goal))


def _page_rows(
    browser: Browser, floor: str, url: str, visit: Visit, words: str, rounds: int, goals: tuple[Goal, Goal]
) -> tuple[Row, ...]:
    pairs = _interleave(rounds, lambda: _load(browser, floor, _NOTHING), lambda: _load(browser, url, visit))
    first = tuple([Pair(empty.first, ours.first) for empty, ours in pairs])
    complete = tuple([Pair(empty.complete, ours.complete) for empty, ours in pairs])
    return (
        Row(f"{visit.name} {words}: first content", EMPTY_PAGE, goals[0], first, in_time),
        Row(f"{visit.name} {words}: complete", EMPTY_PAGE, goals[1], complete, in_time),
    )


def _opened_row(browser: Browser, floor: str, url: str, words: str, rounds: int) -> Row:
    pairs = _interleave(rounds, lambda: _load(browser, floor, _NOTHING), lambda: _open_from_list(browser, url))
    opened = tuple([Pair(empty.first, ours.first) for empty, ours in pairs])
    return Row(f"a failure opened from the list {words}: its head", EMPTY_PAGE, OPENED, opened, in_time)


def _interleave(rounds: int, floor: Callable[[], Seen], ours: Callable[[], Seen]) -> list[tuple[Seen, Seen]]:
    """In turn, so that a drift of the machine reaches both; a first round warms up and is dropped."""
    return [(floor(), ours()) for _ in range(rounds + 1)][1:]


def _load(browser: Browser, url: str, visit: Visit) -> Seen:
    with _tab(browser, visit) as page:
        page.goto(url + visit.path, wait_until="commit")
        return _seen(page, since=0.0)


def _open_from_list(browser: Browser, url: str) -> Seen:
    with _tab(browser, Visit("failures", "/failures", _HEADING, "a.row")) as page:
        page.goto(url + "/failures", wait_until="commit")
        _seen(page, since=0.0)
        row = page.locator("a.row").first
        # The click and the clock in one call: what Playwright needs in between is no waiting of a reader.
        clicked = row.evaluate(
            "(link) => { watchFor('.header .title', '.step'); const at = performance.now(); link.click(); return at; }"
        )
        return _seen(page, since=clicked)


@contextmanager
def _tab(browser: Browser, visit: Visit) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(f"{_WATCH}\nwatchFor({visit.first!r}, {visit.last!r});")
    yield page
    context.close()


def _seen(page: Page, since: float) -> Seen:
    page.wait_for_function("window.completeAt", timeout=START_LIMIT_S * 1000)
    first, complete = page.evaluate("[window.firstAt, window.completeAt]")
    return Seen((first - since) / 1000, (complete - since) / 1000)

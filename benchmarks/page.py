"""The overview's numbers in a browser, over a million executions, against an empty Streamlit page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import Goal, Row, in_time, interleave, seconds_more
from benchmarks.places import scratch
from benchmarks.population import populated

if TYPE_CHECKING:
    from playwright.sync_api import Browser

APP = Path(__file__).parents[1] / "app.py"
EMPTY = 'import streamlit as st\n\nst.title("Empty")\n'
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_LIMIT_S = 60.0
# Asked from outside, a page that is busy drawing charts answers late; the second frame comes after the first is drawn.
_NOTE_WHEN_SHOWN = """
    new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-testid="TEST_ID"]')) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt = performance.now(); }));
    }).observe(document, {childList: true, subtree: true});
"""
GOAL = Goal(must=0.5, aim=0.2, unit=" s more", reading=seconds_more)


def measure(rounds: int, size: int) -> tuple[Row, ...]:
    """Each load in a fresh browser context, from the request until the content is on the screen."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    absent = {"Chromium": not chromium, "Playwright": not find_spec("playwright"), "the dashboard": not APP.exists()}
    missing = [name for name, is_absent in absent.items() if is_absent]
    row = Row(
        what=f"the overview's numbers in Chromium, at {size:,}",
        floor="an empty Streamlit page",
        goal=GOAL,
        pairs=(),
        scale=in_time,
        note=f"skipped: {' and '.join(missing)} not found",
    )
    return (row if missing else _measured(row, rounds, populated(size), str(chromium)),)


def _measured(row: Row, rounds: int, home: Path, chromium: str) -> Row:
    from playwright.sync_api import sync_playwright

    with scratch() as folder, sync_playwright() as playwright:
        empty = folder / "empty.py"
        empty.write_text(EMPTY, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        with _served(empty, home) as empty_url, _served(APP, home) as url:
            pairs = interleave(
                rounds,
                lambda: _first_content(browser, empty_url, "stHeading"),
                lambda: _first_content(browser, f"{url}/?range=all", "stMetricValue"),
            )
        browser.close()
    return Row(row.what, row.floor, row.goal, pairs, row.scale)


def _first_content(browser: Browser, url: str, test_id: str) -> float:
    """Seconds from navigation to the frame that shows the element, by the page's own clock."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(_NOTE_WHEN_SHOWN.replace("TEST_ID", test_id))
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.shownAt", timeout=START_LIMIT_S * 1000)
    shown_at: float = page.evaluate("window.shownAt")
    context.close()
    return shown_at / 1000


@contextmanager
def _served(script: Path, home: Path) -> Iterator[str]:
    """A Streamlit server for the script, with the dashboard's own configuration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    environment = {**os.environ, "FAILTRACE_HOME": str(home)}
    server = subprocess.Popen(
        command, cwd=APP.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(url: str) -> None:
    give_up = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)

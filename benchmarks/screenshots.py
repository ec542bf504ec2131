"""Pictures of every page for the documents, light and dark: `python -m benchmarks.screenshots`.

Over 3,000 made executions that ended by now, and one real run of failtrace's own demo subjects.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.browser import APP, FLAGS, chromium, missing, served
from benchmarks.places import scratch
from benchmarks.population import Population
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import FailureFilter

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).parents[1] / "docs" / "images"
EXECUTIONS = 3_000
RUN_ID = "screenshots"
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_HEIGHTS = {"health": 1260}
"""Of pages whose end is worth a look; others show what a screen does."""
_WITHOUT_PLACE = """place => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(place, "~/failtrace")
}"""
"""Where this machine keeps its files is nobody's business."""
_SETTLED = """
    document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
    && !document.querySelector('[data-testid="stSkeleton"]')
"""


def main() -> int:
    """Write docs/images/PAGE-light.png and -dark.png; 1 where no browser is there."""
    absent = missing()
    if absent:
        print(f"No screenshots were taken: {absent} not found.", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    IMAGES.mkdir(exist_ok=True)
    with scratch() as home, sync_playwright() as playwright:
        _fill(home)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        with served(APP, home) as url:
            for name, path in _pages(home):
                for scheme in _SCHEMES:
                    _take(browser, url + path, IMAGES / f"{name}-{scheme}.png", scheme, _HEIGHTS.get(name, 1000))
        browser.close()
    return 0


def _fill(home: Path) -> None:
    with Mirror.open(home / "mirror.sqlite") as mirror:
        Population(EXECUTIONS, end=datetime.now(UTC)).fill(mirror)
    environment = {**os.environ, "FAILTRACE_HOME": str(home)}
    for words in (("run", "--run-id", RUN_ID), ("doctor", "--hostile")):
        command = [sys.executable, "-m", "failtrace", *words]
        subprocess.run(command, cwd=APP.parent, env=environment, check=True, stdout=subprocess.DEVNULL)


def _pages(home: Path) -> Iterator[tuple[str, str]]:
    with Mirror.open(home / "mirror.sqlite") as mirror:
        rows = mirror.failures(FailureFilter(run_id=RUN_ID), limit=100).rows
    ids = {row.subject: row.failure_id for row in rows}
    yield "overview", "/"
    yield "run", f"/run?run_id={RUN_ID}"
    yield "failures", "/failures"
    yield "failure", f"/failure?failure_id={ids['exception_three_steps_deep']}"
    yield "claims", f"/failure?failure_id={ids['invented_number']}"
    yield "compare", f"/compare?left={ids['fails_for_some_inputs']}"
    yield "health", "/health"


def _take(browser: Browser, url: str, file: Path, scheme: Literal["light", "dark"], height: int) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.wait_for_function(_SETTLED)
    # Charts and components draw after the script has ended.
    page.wait_for_timeout(1500)
    page.evaluate(_WITHOUT_PLACE, str(APP.parent))
    page.screenshot(path=file)
    context.close()


if __name__ == "__main__":
    sys.exit(main())

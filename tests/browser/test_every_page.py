"""What holds of every page: deep links, foreign values in the address, both themes, narrow and wide."""

from pathlib import Path
from urllib.parse import quote

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Browser, Page, expect
from support.records import item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

PARAMETERS = {
    "": ("range", "subject", "from", "to"),
    "run": ("run_id", "against"),
    "failures": ("q", "type", "subject", "range", "run_id", "fingerprint", "from", "to", "sort", "after"),
    "failure": ("failure_id", "step", "list_q", "list_type", "list_sort", "list_from"),
    "compare": ("left", "right"),
    "health": ("failure_id", "range"),
}
FOREIGN = (
    quote("' OR 1=1; --"),
    quote("![x](http://203.0.113.7/x.png)<img src=x onerror=alert(1)>"),
    "%00%ff%fe",
    "9" * 3000,
    quote("💥\u202e../../etc/passwd"),
)
PAGES = tuple(PARAMETERS)


@pytest.fixture
def home(home: Path) -> Path:
    """A failure of each type, with messages that would fetch, break out or run over the edge of a page."""
    messages = ("![x](http://203.0.113.7/a.png)", "<script>alert(1)</script>" * 9, "wide" * 400, "\u202eabc `x` $y$")
    with Mirror.open(home / "mirror.sqlite") as mirror:
        for number, (kind, message) in enumerate(zip(FailureType, messages, strict=True), 1):
            mirror.write([item(make_record(kind, number=number, message=message, subject=message[:60]))])
        mirror.write([item(make_record(None, number=9))])
    return home


def settled(page: Page) -> None:
    """The script has ended, its placeholders are gone, and something of the page's own is there."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.locator('[data-testid="stMainBlockContainer"] >> :is(h1, h4, input, .header)').first.wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0


def is_as_wide_as_its_window(page: Page) -> bool:
    """Nothing of it has to be scrolled to sideways."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("name", PAGES)
def test_foreign_values_in_an_address_are_no_error(name: str, open_: Open, watch: Watch) -> None:
    """Whatever stands in any parameter, as a first request: a page with a heading and a way on, and no traceback."""
    for value in FOREIGN:
        address = "&".join([f"{parameter}={value}" for parameter in PARAMETERS[name]])
        page = open_(f"/{name}?{address}&{PARAMETERS[name][0]}={value}&nobody={value}")
        settled(page)
        expect(page.locator('[data-testid="stSidebar"] a')).to_have_count(len(PAGES))
        page.close()

    assert (watch.foreign, watch.errors) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_every_window(scheme: str, browser: Browser, server: str) -> None:
    """From 390 to 1,920 pixels nothing is cut off or to be scrolled to sideways, in either theme."""
    watch = Watch(server)
    failure = "failure?failure_id=01890000-0000-7000-8000-000000000001"
    for width in (390, 768, 1920):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.on("page", watch.follow)
        for name in (*[name for name in PAGES if name != "failure"], failure):
            page = context.new_page()
            page.goto(f"{server}/{name}")
            settled(page)
            assert is_as_wide_as_its_window(page), (name, width)
            page.close()
        context.close()

    assert (watch.foreign, watch.errors) == ([], [])

"""The list of failures as a person uses it: narrowed, walked by keys, taken along as a file, and come back to."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser.conftest import Open, Watch
from playwright.sync_api import Page, expect
from support.records import failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

NOW = datetime.now(UTC)
MANY = 120
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def home(home: Path) -> Path:
    """120 failures, a minute apart, number 1 the newest; every third one timed out."""
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write(
            [
                item(
                    make_record(
                        FailureType.EXCEPTION if number % 3 else FailureType.TIMEOUT,
                        number=number,
                        message=f"{FORMULA} order {number} of the kettle",
                        ended_at=NOW - timedelta(minutes=number),
                    )
                )
                for number in range(1, MANY + 1)
            ]
        )
    return home


@pytest.fixture
def page(open_: Open) -> Page:
    """The list, drawn."""
    page = open_("/failures")
    expect(page.get_by_text(f"1–50 of {MANY}")).to_be_visible()
    return page


def taken(page: Page, button: str) -> bytes:
    """The file that a button of the open popover gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def focused_id(page: Page) -> str:
    """The id of the row that has the focus, in whichever shadow tree it is; empty where none has."""
    return str(
        page.evaluate(
            """() => {
                let at = document.activeElement;
                while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                return at?.closest?.(".item")?.dataset.id ?? "";
            }"""
        )
    )


def test_the_list_is_walked_and_selected_by_keys_alone(page: Page, watch: Watch) -> None:
    """`j` goes in, `j` and `k` walk, Space selects, Enter opens, Back returns to the same row of the same list."""
    expect(page.locator("a.row").nth(5)).to_be_visible()
    for key in "jjjk":
        page.keyboard.press(key)
    assert focused_id(page) == failure_id_of(2)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Export 1", exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/failure.failure_id={failure_id_of(3)}"))
    expect(page.get_by_role("tab", name="Whole record")).to_be_visible()
    page.go_back()
    expect(page.get_by_text(f"1–50 of {MANY}")).to_be_visible()
    expect(page.locator(f".item[data-id='{failure_id_of(3)}'].left")).to_be_visible()
    expect(page.get_by_text("1 selected")).to_be_visible()
    assert focused_id(page) == failure_id_of(3)
    assert (watch.foreign, watch.errors) == ([], [])


def test_what_is_selected_or_matches_is_taken_along(page: Page, watch: Watch) -> None:
    """The selected ones as whole records; all that match as harmless cells, more than one page of them."""
    for number in (2, 5):
        page.locator(f".item[data-id='{failure_id_of(number)}'] input").check()
    expect(page.get_by_text("2 selected")).to_be_visible()

    page.get_by_role("button", name="Export 2").click()
    lines = taken(page, "JSON Lines").splitlines()
    assert [json.loads(line)["failure_id"] for line in lines] == [failure_id_of(2), failure_id_of(5)]
    expect(page.get_by_text("The last file holds 2 of 2 records.")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name=f"Export all {MANY}").click()
    rows = list(csv.DictReader(taken(page, "CSV").decode("utf-8-sig").splitlines()))

    assert [row["failure_id"] for row in rows] == [failure_id_of(number) for number in range(1, MANY + 1)]
    assert all(row["message"].startswith(f"'{FORMULA}") for row in rows)
    assert (watch.foreign, watch.errors) == ([], [])


def test_a_filter_stands_in_the_address_and_back_takes_it_away(page: Page, open_: Open) -> None:
    """Words and a type narrow the list, another tab on the same address shows the same, chips lead out of it."""
    page.get_by_label("Search").fill("kettle")
    page.get_by_label("Search").press("Enter")
    expect(page).to_have_url(re.compile("q=kettle"))
    page.get_by_role("button", name="Older").first.click()
    expect(page.get_by_text(f"51–100 of {MANY}")).to_be_visible()
    other = open_(page.url.removeprefix(page.url.split("/failures", 1)[0]))
    expect(other.get_by_text(f"51–100 of {MANY}")).to_be_visible()

    narrow = open_(f"/failures?type=timeout&q=kettle&fingerprint={'0' * 16}")
    expect(narrow.get_by_text("No failure matches")).to_be_visible()
    expect(narrow.get_by_text(f"0 of {MANY} failures")).to_be_visible()
    narrow.get_by_role("link", name=re.compile("fingerprint", re.IGNORECASE)).click()
    expect(narrow.get_by_text(f"1–{MANY // 3} of {MANY // 3}")).to_be_visible()


def test_new_failures_wait_until_they_are_asked_for(page: Page, home: Path) -> None:
    """The rows under the reader's eyes stay; a button says how many came."""
    expect(page.locator(".item[data-id]")).to_have_count(50)
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write([item(make_record(FailureType.EXCEPTION, number=900, ended_at=datetime.now(UTC)))])

    button = page.get_by_role("button", name="1 new failure · show")
    expect(button).to_be_visible()
    expect(page.locator(".item[data-id]").first).to_have_attribute("data-id", failure_id_of(1))
    button.click()
    expect(page.locator(".item[data-id]").first).to_have_attribute("data-id", failure_id_of(900))

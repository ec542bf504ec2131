"""The list of failures: narrowed, sorted and paged by its address, and taken along as a file."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest
from support.records import failure_id_of, item, make_record
from ui.conftest import OpenPage
from ui.test_pages import component

from failtrace.contracts import FailureType
from failtrace.errors import FailtraceError
from failtrace.exchange.rows import COLUMNS
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import FailureFilter
from failtrace.ui.components import Picked
from failtrace.ui.failures.export import Export, Receipt
from failtrace.ui.failures.stretch import Stretch
from failtrace.ui.url_state import FailuresAddress, ListPlace

NOW = datetime.now(UTC)
MANY = 130


@pytest.fixture
def many(mirror: Mirror) -> Mirror:
    """130 failures, a second apart, number 1 the newest, of three runs and two fingerprints."""
    mirror.write(
        [
            item(
                make_record(
                    FailureType.TIMEOUT if number % 2 else FailureType.EXCEPTION,
                    number=number,
                    ended_at=NOW - timedelta(seconds=number),
                    duration_ms=float(number),
                    run_id=f"run-{number % 3}",
                    message=f"=cmd|' /C calc'!A{number}",
                )
            )
            for number in range(1, MANY + 1)
        ]
    )
    return mirror


def ids(page: AppTest) -> list[str]:
    return [row["id"] for row in component(page, "list")["rows"]]


def captions(page: AppTest) -> list[str]:
    return [caption.value for caption in page.caption]


@pytest.mark.parametrize(
    ("sort", "first"), [("newest", 1), ("oldest", MANY), ("longest", MANY), ("shortest", 1), ("nonsense", 1)]
)
def test_every_order_is_paged_by_the_address(open_page: OpenPage, many: Mirror, sort: str, first: int) -> None:
    """Each order walks to its end and back, always saying where it is; a reload stays where it is."""
    page = open_page("failures", sort=sort)
    step = -1 if first == MANY else 1
    expected = [failure_id_of(first + step * at) for at in range(MANY)]

    assert (ids(page), "1–50 of 130" in captions(page)) == (expected[:50], True)
    page.button(key="failures-Older").click().run()
    assert (ids(page), "51–100 of 130" in captions(page)) == (expected[50:100], True)
    reloaded = open_page("failures", sort=sort, place=page.query_params["place"])
    assert ids(reloaded) == expected[50:100]
    page.button(key="failures-Older").click().run()
    assert (ids(page), "101–130 of 130" in captions(page)) == (expected[100:], True)
    assert page.button(key="failures-Older").disabled
    page.button(key="failures-Newer").click().run()
    assert ids(page) == expected[50:100]
    page.button(key="failures-Newer").click().run()
    assert ids(page) == expected[:50]
    assert page.button(key="failures-Newer").disabled


def test_each_row_leads_to_its_failure_within_the_list(open_page: OpenPage, many: Mirror) -> None:
    """The link carries the list, so that previous and next are those of this list."""
    page = open_page("failures", type="timeout", run_id="run-1", sort="oldest")

    row = component(page, "list")["rows"][0]
    assert row["href"].startswith(f"failure?failure_id={row['id']}")
    assert {"list_type=timeout", "list_run_id=run-1", "list_sort=oldest"} <= set(row["href"].split("&"))


def test_what_only_the_address_says_stands_in_chips(open_page: OpenPage, many: Mirror) -> None:
    """Run, fingerprint and time each have a way to take them away that leaves the rest."""
    since = (NOW - timedelta(seconds=20)).isoformat()
    page = open_page("failures", run_id="run-1", fingerprint="00000000000000aa", **{"from": since})

    chips = {chip["name"]: chip for chip in component(page, "chips")["chips"]}
    assert set(chips) == {"", "run", "fingerprint"}
    assert "run_id" not in chips["run"]["href"]
    assert "fingerprint=00000000000000aa" in chips["run"]["href"]
    assert all(number in range(1, 20) for number in [int(any_id[-12:], 16) for any_id in ids(page)])


def test_what_cannot_be_read_is_said_and_left_out(open_page: OpenPage, many: Mirror) -> None:
    """Foreign values narrow nothing."""
    page = open_page("failures", type="nonsense", sort="sideways", place="zz", **{"from": "yesterday"})

    assert not page.exception
    assert "1–50 of 130" in captions(page)
    assert [notice.value for notice in page.info] == ["This page ignores what it does not know in its address:"]
    assert page.text[0].value == "type=nonsense, from=yesterday, sort=sideways"


def test_new_failures_are_told_and_not_moved_under_the_reader(open_page: OpenPage, many: Mirror) -> None:
    """Rows stay until somebody asks for the new ones."""
    page = open_page("failures")
    before = ids(page)
    many.write([item(make_record(FailureType.EXCEPTION, number=900, ended_at=datetime.now(UTC)))])

    page.run()
    assert ids(page) == before
    button = page.button(key="failures-new")
    assert button.label == "1 new failure · show"
    assert ids(button.click().run())[0] == failure_id_of(900)


def a_stretch(mirror: Mirror, address: FailuresAddress) -> Stretch:
    return Stretch(address, ListPlace(), NOW, 0, mirror.failures(address.filter(NOW)), "")


def test_what_is_selected_is_exported(many: Mirror) -> None:
    """Some by their ids, or all that match in the order of the list, as whole records or as harmless cells."""
    shown = a_stretch(many, FailuresAddress(failure_types=(FailureType.TIMEOUT,), sort="oldest"))
    some = Export(many, shown, Picked((failure_id_of(7), failure_id_of(2), failure_id_of(99999))), Receipt())
    everything = Export(many, shown, Picked(everything=True), Receipt())

    lines = some.json_lines().splitlines()
    assert [json.loads(line)["failure_id"] for line in lines] == [failure_id_of(7), failure_id_of(2)]
    assert lines[0] == many.record(failure_id_of(7))
    assert some.receipt.said == "The last file holds 2 of 3 records."
    expected = [failure_id_of(number) for number in range(MANY - 1, 0, -2)]
    assert [row.failure_id for row in everything.rows()] == expected
    assert (everything.count, Export(many, shown, Picked(), Receipt()).count) == (len(expected), len(expected))
    header, first, *_ = everything.csv().decode("utf-8-sig").splitlines()
    assert tuple(header.split(",")) == COLUMNS
    assert "'=cmd|' /C calc'!A129" in first
    assert "129.0" in first.split(",")


def test_what_an_export_left_out_is_said(many: Mirror) -> None:
    """A file that is full, and a mirror that cannot answer."""
    shown = a_stretch(many, FailuresAddress())
    small = Export(many, shown, Picked(), Receipt(), most_bytes=5120)

    taken = len(small.json_lines().splitlines())

    assert 0 < taken < MANY
    assert small.receipt.said == f"The last file holds {taken} of 130 records; more would not fit into 5 KB."
    many.close()
    with pytest.raises(FailtraceError):
        small.csv()
    assert small.receipt.said.startswith("The export failed: ")


def test_a_search_that_finds_nothing_says_of_how_many(open_page: OpenPage, many: Mirror) -> None:
    """And gives the way back to all."""
    page = open_page("failures", q="no such words")

    assert "0 of 130 failures. Take a filter away, or look further back." in captions(page)
    assert many.failures(FailureFilter(text="no such words")).total == 0

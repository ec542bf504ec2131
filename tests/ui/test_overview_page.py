"""The overview alone, as the first request of a fresh server: its numbers, its links, and each state it can be in."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.proto.Metric_pb2 import Metric as MetricProto
from streamlit.testing.v1 import AppTest
from support.records import failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.ui.url_state import FailuresAddress, now

OpenPage = Callable[..., AppTest]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EXCEPTION, TIMEOUT = FailureType.EXCEPTION, FailureType.TIMEOUT
INVALID, HALLUCINATION = FailureType.VALIDATION_ERROR, FailureType.HALLUCINATION_FLAG


def data_of(page: AppTest, name: str) -> dict[str, Any]:
    """What the page gave its component of that name; of several, the last."""
    found = [node for node in page.get("bidi_component") if node.proto.component_name == f"failtrace.{name}"]
    data: dict[str, Any] = json.loads(found[-1].proto.json)
    return data


def figures_of(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in page.metric}


def colours_of(page: AppTest) -> list[str]:
    return [MetricProto.MetricColor.Name(metric.proto.color) for metric in page.metric]


def count_behind(mirror: Mirror, href: str) -> int:
    """How many failures the list shows that a link leads to."""
    address = FailuresAddress.read(parse_qs(urlsplit(href).query))
    return mirror.failures(address.filter(now()), limit=1).total


def marks(page: AppTest) -> Iterator[tuple[str, int]]:
    """Every link of every chart, with the number it stands for."""
    for column in data_of(page, "columns")["columns"]:
        if column["failures"]:
            yield column["href"], column["failures"]
        yield from ((part["href"], part["count"]) for part in column["parts"])
    for row in data_of(page, "matrix")["rows"]:
        yield row["href"], int(row["total"].replace(",", ""))
        yield from ((cell["href"], int(cell["count"])) for cell in row["cells"] if cell["href"])
    bars = [node for node in page.get("bidi_component") if node.proto.component_name == "failtrace.bars"]
    types, slowest = (json.loads(node.proto.json)["rows"] for node in bars)
    yield from ((row["href"], int(row["cells"][0])) for row in types if row["href"])
    yield from ((row["href"], int(row["cells"][3])) for row in slowest if row["href"])


@pytest.fixture
def busy(mirror: Mirror) -> Mirror:
    """Sixty executions of three subjects over the last forty days, of all types, one of them long ago."""
    moment = datetime.now(UTC)
    kinds = [EXCEPTION, TIMEOUT, None, INVALID, None, HALLUCINATION, EXCEPTION]
    mirror.write(
        [
            item(
                make_record(
                    kinds[at % 7],
                    subject=f"subject {at % 3} & <b>",
                    number=at + 1,
                    ended_at=moment - at * at * 16 * MINUTE,
                    duration_ms=10.0 * (at % 3 + 1),
                )
            )
            for at in range(60)
        ]
        + [item(make_record(TIMEOUT, number=99, ended_at=datetime(1999, 12, 31, 23, 59, tzinfo=UTC)))]
    )
    return mirror


@pytest.mark.parametrize("chosen", ["1h", "24h", "7d", "30d", "all"])
@pytest.mark.parametrize("subjects", [[], ["subject 1 & <b>", "answer"]], ids=["all subjects", "some"])
def test_every_mark_opens_as_many_failures_as_it_shows(
    open_page: OpenPage, busy: Mirror, chosen: str, subjects: list[str]
) -> None:
    """A column, a bar, a cell and a row must each lead to the failures it counted, whatever the range and filter."""
    page = open_page("overview", range=chosen, subject=subjects)

    assert not page.exception
    found = list(marks(page))
    assert found
    assert [count_behind(busy, href) for href, _ in found] == [shown for _, shown in found]
    failures = int(figures_of(page)["Failures"][0])
    assert sum(column["failures"] for column in data_of(page, "columns")["columns"]) == failures
    assert sum(int(row["total"]) for row in data_of(page, "matrix")["rows"]) == failures


def test_the_figures_stand_against_the_time_before(open_page: OpenPage, mirror: Mirror) -> None:
    """Each number must say how it moved: counts by how many, the rate in points, durations by how long."""
    moment = datetime.now(UTC)
    before = moment - 10 * DAY
    mirror.write(
        [item(make_record(None, ended_at=before, duration_ms=100.0)) for _ in range(3)]
        + [item(make_record(TIMEOUT, ended_at=before, duration_ms=100.0))]
        + [item(make_record(None, ended_at=moment, duration_ms=100.0))]
        + [item(make_record(TIMEOUT, ended_at=moment, duration_ms=400.0))]
    )

    page = open_page("overview")

    figures = figures_of(page)
    assert figures["Executions"] == ("2", "-2")
    assert figures["Failures"] == ("1", "no change")
    assert figures["Failure rate"] == ("50 %", "+25.0 points")
    assert figures["p50 duration"][1] == "no change"
    assert figures["p95 duration"][1].startswith("+")
    assert colours_of(page) == ["GRAY", "GRAY", "RED", "GRAY", "RED"]
    assert "Counted by whole days (UTC), against as many days before." in [caption.value for caption in page.caption]


@pytest.mark.parametrize("chosen", ["24h", "all"])
def test_without_earlier_data_nothing_is_compared(open_page: OpenPage, mirror: Mirror, chosen: str) -> None:
    """Where nothing ran before, growth from nothing must not be told as bad news."""
    mirror.write([item(make_record(TIMEOUT, ended_at=datetime.now(UTC)))])

    page = open_page("overview", range=chosen)

    assert {change for _, change in figures_of(page).values()} == {"no earlier data"}
    assert set(colours_of(page)) == {"GRAY"}
    assert not page.caption


def test_the_newest_failures_are_those_of_the_range_and_the_subjects(open_page: OpenPage, busy: Mirror) -> None:
    """The list under the charts must hold what they count, newest first, and lead to all of it."""
    page = open_page("overview", subject="subject 0 & <b>", range="30d")

    rows = data_of(page, "list")["rows"]
    assert {row["cells"]["subject"] for row in rows} == {"subject 0 & <b>"}
    assert [row["id"] for row in rows][:3] == [failure_id_of(at) for at in (1, 4, 7)]
    total = figures_of(page)["Failures"][0]
    link = next(node.proto for node in page.get("page_link") if "All" in node.proto.label)
    assert link.label == f"All {total} failures"
    assert count_behind(busy, f"failures?{link.query_string}") == int(total)


def test_nothing_in_this_range_leaves_a_way_on(open_page: OpenPage, mirror: Mirror) -> None:
    """Where things ran, but not lately, the page must say so and not that nothing ever ran."""
    mirror.write([item(make_record(TIMEOUT, subject="old", ended_at=datetime.now(UTC) - 60 * DAY))])

    everything, narrowed = open_page("overview"), open_page("overview", subject="old")

    for page, words in ((everything, "or run something"), (narrowed, "or more subjects")):
        assert any("Nothing ran in this time" in node.value for node in page.markdown)
        assert any(words in node.value for node in page.caption)
        assert not page.metric
    assert not any("ever" in node.value for node in everything.markdown)


def test_an_empty_home_invites_to_run(open_page: OpenPage) -> None:
    """On a first start the page must say what to do, with a link to it."""
    page = open_page("overview")

    assert any("Nothing has run yet" in node.value for node in page.markdown)
    assert "Run subjects" in [node.proto.label for node in page.get("page_link")]


def test_where_all_passed_the_durations_still_tell(open_page: OpenPage, mirror: Mirror) -> None:
    """Without failures there must be good news, the numbers and the slowest subjects, and nothing to click for."""
    mirror.write([item(make_record(None, subject="swift", ended_at=datetime.now(UTC)))])

    page = open_page("overview")

    assert any("No failures" in node.value for node in page.markdown)
    assert figures_of(page)["Failure rate"][0] == "0 %"
    [row] = data_of(page, "bars")["rows"]
    assert (row["name"], row["href"], row["cells"][2:]) == ("swift", "", ["1", "–"])


def test_of_hundreds_of_subjects_the_worst_are_shown(open_page: OpenPage, mirror: Mirror) -> None:
    """The heat map must stay on a screen, and say how many more subjects fail."""
    moment = datetime.now(UTC)
    names = [f"subject {at:03}" for at in range(200)]
    mirror.write([item(make_record(EXCEPTION, subject=name, ended_at=moment)) for name in [*names, "subject 150"]])

    page = open_page("overview")

    rows = data_of(page, "matrix")["rows"]
    assert [row["name"] for row in rows] == ["subject 150", *names[:11]]
    assert [cell["count"] for cell in rows[0]["cells"]] == ["2", "0", "0", "0"]
    assert "188 more subjects fail, none of them more often" in [node.proto.label for node in page.get("page_link")]
    assert len(data_of(page, "bars")["rows"]) == 10


@pytest.mark.parametrize(
    ("params", "words", "kept"),
    [
        ({"subject": ["never ran", "answer 3"]}, "subject=never ran", ["answer 3"]),
        (
            {"subject": [f"answer {at}" for at in range(30)]},
            ", ".join(f"subject=answer {at}" for at in range(20, 30)),
            [f"answer {at}" for at in range(20)],
        ),
        ({"range": "since the flood"}, "range=since the flood", []),
        ({"range": ["24h", "7d"]}, "range=7d", []),
        ({"range": "**x**<b>\u202e" + "y" * 99}, "range=**x**<b>\ufffd" + "y" * 31 + "…", []),
    ],
    ids=["unknown subject", "too many subjects", "unknown range", "two ranges", "hostile range"],
)
def test_what_a_link_cannot_mean_is_left_out_and_said(
    open_page: OpenPage, mirror: Mirror, params: dict[str, Any], words: str, kept: list[str]
) -> None:
    """A foreign subject or range in the address must cost nothing but itself, and be named while it is there."""
    moment = datetime.now(UTC)
    mirror.write([item(make_record(TIMEOUT, subject=f"answer {at}", ended_at=moment)) for at in range(30)])

    page = open_page("overview", **params)

    assert not page.exception
    assert [notice.value for notice in page.info] == ["This page ignores what it does not know in its address:"]
    assert [text.value for text in page.text] == [words]
    assert page.multiselect(key="subject").value == kept
    assert figures_of(page)["Executions"][0] == str(len(kept) or 30)
    assert [text.value for text in page.run().text] == [words]


def test_an_empty_parameter_is_no_mistake(open_page: OpenPage, busy: Mirror) -> None:
    """`?subject=` and `?range=` are what a cleared filter leaves behind: all subjects, the usual range, no word."""
    page = open_page("overview", subject="", range="")

    assert not page.exception
    assert not page.text
    assert not page.info
    assert figures_of(page) == figures_of(open_page("overview"))


def test_a_mirror_that_vanishes_is_said_and_comes_back(open_page: OpenPage, busy: Mirror) -> None:
    """A page that is open while the file goes must show a sentence, and its numbers again when it is back."""
    page = open_page("overview", range="all")
    aside = busy.path.with_suffix(".aside")

    busy.path.rename(aside)
    gone = [error.value for error in page.run().error]
    aside.rename(busy.path)

    assert gone == ["The recorded executions cannot be read."]
    assert not page.run().error
    assert figures_of(page)["Executions"][0] == "61"

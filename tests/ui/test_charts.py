"""The columns of the chart over time: whole, contiguous, few, and every execution in exactly one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import NOON

from failtrace.contracts import FailureType
from failtrace.mirror.views import Overview
from failtrace.ui.buckets import MOST, buckets, whole

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Cell = tuple[datetime, FailureType | None, int]


def overview_of(cells: list[Cell], bucket: Literal["hour", "day"]) -> Overview:
    """An overview that counted these executions, and nothing else of them."""
    return Overview(
        executions=sum(number for _, _, number in cells),
        failures=sum(number for _, kind, number in cells if kind),
        by_type={},
        over_time=tuple(sorted(cells, key=lambda cell: cell[0])),
        bucket=bucket,
        by_subject=(),
        durations=None,
        previous=None,
        slowest=(),
    )


def start_of(moment: datetime, bucket: str) -> datetime:
    """The start of its hour or day, UTC."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if bucket == "hour" else hour.replace(hour=0)


@given(
    st.lists(
        st.tuples(
            st.datetimes(timezones=st.just(UTC)).map(lambda moment: start_of(moment, "day")),
            st.sampled_from(FailureType) | st.none(),
            st.integers(1, 9),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_columns_of_all_time_hold_every_execution_once(cells: list[Cell]) -> None:
    """Whatever the clocks of subjects said, from the year 1 to 9999: few columns, no gap, nothing counted twice."""
    found = buckets(overview_of(cells, "day"), None, None)

    assert 1 <= len(found) <= MOST + 1
    assert all(before.end == after.start for before, after in pairwise(found))
    assert found[0].start <= min(start for start, _, _ in cells)
    for bucket in found:
        inside = [(kind, number) for start, kind, number in cells if bucket.start <= start < bucket.end]
        assert bucket.executions == sum(number for _, number in inside)
        assert bucket.failures == {
            kind: sum(number for other, number in inside if other is kind)
            for kind in {kind for kind, _ in inside if kind}
        }
    assert sum(bucket.executions for bucket in found) == sum(number for _, _, number in cells)


@given(
    st.sampled_from(["hour", "day"]),
    st.timedeltas(-9_999 * DAY, 9_999 * DAY).map(NOON.__add__),
    st.integers(1, 60),
)
def test_a_chosen_range_is_shown_in_whole_buckets(bucket: Literal["hour", "day"], until: datetime, length: int) -> None:
    """The range must be widened as the mirror widens it, and each of its hours or days be one column."""
    size = HOUR if bucket == "hour" else DAY
    since = until - length * size
    overview = overview_of([(start_of(since, bucket), None, 1)], bucket)

    first, last = whole(overview, since, until)

    assert first <= since
    assert until <= last
    assert since - first < size
    assert last - until < size
    assert (start_of(first, bucket), start_of(last, bucket)) == (first, last)
    found = buckets(overview, first, last)
    assert [(item.start, item.end) for item in found] == [
        (first + at * size, first + (at + 1) * size) for at in range((last - first) // size)
    ]


@pytest.mark.parametrize(
    ("days", "size"),
    [(1, DAY), (91, DAY), (92, 7 * DAY), (500, 7 * DAY), (700, 28 * DAY), (40 * 365, 364 * DAY)],
)
def test_a_column_stands_for_more_days_as_the_time_grows(days: int, size: timedelta) -> None:
    """A column must stay wide enough to be hit: days, then weeks from Monday on, then more of them."""
    first = start_of(NOON, "day")
    cells: list[Cell] = [(first, FailureType.TIMEOUT, 1), (first + (days - 1) * DAY, None, 1)]

    found = buckets(overview_of(cells, "day"), None, None)

    assert {bucket.size for bucket in found} == {size}
    assert size == DAY or {bucket.start.weekday() for bucket in found} == {0}
    assert [bucket.failed for bucket in found if bucket.executions] in ([1], [1, 0])


def test_where_nothing_ran_there_is_no_column() -> None:
    """An open range without data has neither beginning nor end."""
    assert buckets(overview_of([], "day"), None, None) == ()

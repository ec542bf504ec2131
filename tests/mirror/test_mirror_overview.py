"""The numbers of the overview."""

import itertools
import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import NOON, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.spread import EXACT_UP_TO, bin_of, middle_of
from failtrace.mirror.views import Durations, Overview, Period

EXCEPTION, TIMEOUT = FailureType.EXCEPTION, FailureType.TIMEOUT
NOTHING = dict.fromkeys(FailureType, 0)


def fill(mirror: Mirror) -> None:
    """Two hours of the first day, and one failure four days later."""
    mirror.write(
        [
            item(make_record(None, ended_at=NOON + timedelta(minutes=1))),
            item(make_record(None, ended_at=NOON + timedelta(minutes=59))),
            item(make_record(EXCEPTION, ended_at=NOON + timedelta(minutes=2))),
            item(make_record(TIMEOUT, ended_at=NOON + timedelta(minutes=61), subject="search")),
            item(make_record(EXCEPTION, ended_at=NOON + timedelta(days=4), subject="search")),
        ]
    )


def counts(overview: Overview) -> Overview:
    """The overview without its durations, which have tests of their own."""
    return replace(overview, durations=None, previous=None, slowest=())


def test_an_empty_mirror_has_an_overview(mirror: Mirror) -> None:
    """On a first start all numbers are zero, and the rate is no division by it."""
    overview = mirror.overview()

    assert overview == Overview(0, 0, NOTHING, (), "hour", (), None, None, ())
    assert overview.failure_rate == 0


def test_all_time_is_shown_in_days(mirror: Mirror) -> None:
    """Counts by type, by day and by subject, with those that passed."""
    fill(mirror)
    midnight = NOON - timedelta(hours=12)

    overview = mirror.overview()

    assert counts(overview) == Overview(
        durations=None,
        previous=None,
        slowest=(),
        executions=5,
        failures=3,
        by_type=NOTHING | {EXCEPTION: 2, TIMEOUT: 1},
        over_time=(
            (midnight, None, 2),
            (midnight, EXCEPTION, 1),
            (midnight, TIMEOUT, 1),
            (midnight + timedelta(days=4), EXCEPTION, 1),
        ),
        bucket="day",
        by_subject=(
            ("answer", None, 2),
            ("answer", EXCEPTION, 1),
            ("search", EXCEPTION, 1),
            ("search", TIMEOUT, 1),
        ),
    )
    assert overview.failure_rate == 3 / 5


def test_up_to_three_days_are_shown_in_hours(mirror: Mirror) -> None:
    """A range narrows everything to whole hours that touch it."""
    fill(mirror)

    overview = mirror.overview(NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))

    assert counts(overview) == Overview(
        durations=None,
        previous=None,
        slowest=(),
        executions=3,
        failures=1,
        by_type=NOTHING | {EXCEPTION: 1},
        over_time=((NOON, None, 2), (NOON, EXCEPTION, 1)),
        bucket="hour",
        by_subject=(("answer", None, 2), ("answer", EXCEPTION, 1)),
    )
    assert mirror.overview(NOON, NOON + timedelta(days=3)).bucket == "hour"
    assert mirror.overview(NOON, NOON + timedelta(days=3, hours=1)).bucket == "day"


def test_an_open_end_is_that_of_the_data(mirror: Mirror) -> None:
    """With one end given, the other is the first or last hour that has anything."""
    fill(mirror)

    late = mirror.overview(since=NOON + timedelta(days=2))
    early = mirror.overview(until=NOON + timedelta(days=2))

    assert (late.bucket, late.executions, late.over_time) == (
        "hour",
        1,
        ((NOON + timedelta(days=4), EXCEPTION, 1),),
    )
    assert (early.bucket, early.executions, early.failures) == ("hour", 4, 2)


def test_subjects_narrow_everything(mirror: Mirror) -> None:
    """The numbers of one subject are its own alone."""
    fill(mirror)
    midnight = NOON - timedelta(hours=12)

    overview = mirror.overview(subjects=("search", "none such"))

    assert counts(overview) == Overview(
        durations=None,
        previous=None,
        slowest=(),
        executions=2,
        failures=2,
        by_type=NOTHING | {EXCEPTION: 1, TIMEOUT: 1},
        over_time=((midnight, TIMEOUT, 1), (midnight + timedelta(days=4), EXCEPTION, 1)),
        bucket="day",
        by_subject=(("search", EXCEPTION, 1), ("search", TIMEOUT, 1)),
    )
    assert mirror.subjects() == ("answer", "search")


def test_every_number_has_that_of_the_time_before(mirror: Mirror) -> None:
    """A range is measured against as many buckets just before it; all time against nothing."""
    fill(mirror)

    overview = mirror.overview(NOON + timedelta(hours=1), NOON + timedelta(hours=2))

    assert (overview.executions, overview.failures) == (1, 1)
    assert overview.previous is not None
    assert (overview.previous.executions, overview.previous.failures) == (3, 1)
    assert overview.previous.failure_rate == 1 / 3
    assert mirror.overview().previous is None
    before = mirror.overview(NOON, NOON + timedelta(hours=1)).previous
    assert before == Period(0, 0, None)
    assert before.failure_rate == 0


@pytest.mark.parametrize("looked_at", [0, EXACT_UP_TO], ids=["bins", "executions"])
def test_percentiles_are_right_to_a_tenth(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, looked_at: int) -> None:
    """Median and 95th percentile of all, and of the slowest subjects, longest first, each over its own executions.

    They are exact where the executions were looked at, and say so.
    """
    monkeypatch.setattr("failtrace.mirror.spread.EXACT_UP_TO", looked_at)
    off = 0 if looked_at else 0.1
    taken = {"quick": [0.5 + 0.01 * n for n in range(40)], "slow": [1000.0 + 50 * n for n in range(40)], "none": [0.0]}
    numbers = iter(range(1, 200))
    for subject, durations in taken.items():
        mirror.write(
            [item(make_record(None, number=next(numbers), subject=subject, duration_ms=ms)) for ms in durations]
        )

    overview = mirror.overview()

    assert [row.subject for row in overview.slowest] == ["slow", "quick", "none"]
    for row in overview.slowest:
        durations = sorted(taken[row.subject])
        assert row.executions == len(durations)
        assert row.durations.p50_ms == pytest.approx(durations[math.ceil(0.5 * len(durations)) - 1], rel=off)
        assert row.durations.p95_ms == pytest.approx(durations[math.ceil(0.95 * len(durations)) - 1], rel=off)
        assert row.durations.exact == bool(looked_at)
    everything = sorted(itertools.chain(*taken.values()))
    assert overview.durations is not None
    assert overview.durations.p50_ms == pytest.approx(everything[math.ceil(0.5 * len(everything)) - 1], rel=off)
    assert mirror.overview(subjects=("quick",)).durations == overview.slowest[1].durations


def test_one_execution_took_what_it_took(mirror: Mirror) -> None:
    """Of a few executions the percentiles are their own durations, in a range as over all time."""
    mirror.write(
        [
            item(make_record(TIMEOUT, number=1, duration_ms=508.0)),
            item(make_record(None, number=2, ended_at=NOON - timedelta(hours=3), duration_ms=7.0)),
        ]
    )

    assert mirror.overview().durations == Durations(7.0, 508.0, exact=True)
    assert mirror.overview(NOON, NOON + timedelta(hours=1)).durations == Durations(508.0, 508.0, exact=True)


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_every_duration_has_a_bin_near_it(duration_ms: float) -> None:
    """Whatever a record may say it took falls into a bin whose middle is within a tenth, or below a microsecond."""
    number = bin_of(duration_ms)

    assert middle_of(number) == pytest.approx(duration_ms, rel=0.1, abs=0.001)


def test_durations_go_with_what_retention_drops(path: Path) -> None:
    """The histograms after retention are those of a mirror that never held what was dropped."""
    kept = [item(make_record(None, number=n, duration_ms=5.0 * n, ended_at=NOON - timedelta(days=n))) for n in (1, 2)]
    old = [item(make_record(None, number=n, duration_ms=7.0 * n, ended_at=NOON - timedelta(days=n))) for n in (8, 9)]
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        mirror.write([*kept, *old])
        assert mirror.retain(5) == 2
        after = mirror.overview()
    with Mirror.open(path.with_name("never.sqlite"), clock=lambda: NOON) as mirror:
        mirror.write(kept)
        assert mirror.overview() == after

"""The numbers of the overview."""

from datetime import timedelta

from support.records import NOON, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Overview

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


def test_an_empty_mirror_has_an_overview(mirror: Mirror) -> None:
    """On a first start all numbers are zero, and the rate is no division by it."""
    overview = mirror.overview()

    assert overview == Overview(0, 0, NOTHING, (), "hour", ())
    assert overview.failure_rate == 0


def test_all_time_is_shown_in_days(mirror: Mirror) -> None:
    """Counts by type, by day and by subject, with those that passed."""
    fill(mirror)
    midnight = NOON - timedelta(hours=12)

    overview = mirror.overview()

    assert overview == Overview(
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

    assert overview == Overview(
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

    assert overview == Overview(
        executions=2,
        failures=2,
        by_type=NOTHING | {EXCEPTION: 1, TIMEOUT: 1},
        over_time=((midnight, TIMEOUT, 1), (midnight + timedelta(days=4), EXCEPTION, 1)),
        bucket="day",
        by_subject=(("search", EXCEPTION, 1), ("search", TIMEOUT, 1)),
    )
    assert mirror.subjects() == ("answer", "search")

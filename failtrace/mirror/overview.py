"""All numbers of the overview, from the rollups alone."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select

from failtrace.contracts import FailureType
from failtrace.mirror.rollups import Grain
from failtrace.mirror.tables import PASSED, rollup
from failtrace.mirror.times import DAY, HOUR, from_micros, to_micros
from failtrace.mirror.views import Overview

HOURLY_UP_TO = 3 * DAY

_TYPES = {kind.value: kind for kind in FailureType} | {PASSED: None}
_SIZES: dict[Literal["hour", "day"], int] = {"hour": HOUR, "day": DAY}


def overview(
    connection: Connection, since: datetime | None, until: datetime | None, subjects: tuple[str, ...]
) -> Overview:
    """The numbers of whole buckets: `since` is rounded down to a bucket's start, `until` up to an end.

    Buckets are hours while the range (of the data, where no range is given) is at most three days, else days.
    """
    first, last = _range(connection, since, until)
    bucket: Literal["hour", "day"] = "hour" if last - first <= HOURLY_UP_TO else "day"
    size = _SIZES[bucket]
    low, high = first // size * size, -(-last // size) * size
    executions = func.sum(rollup.c.executions)
    over_time = _within(
        select(rollup.c.bucket, rollup.c.failure_type, executions), bucket, low, high, subjects
    ).group_by(rollup.c.bucket, rollup.c.failure_type)
    everything = since is None and until is None
    by_subject = _within(
        select(rollup.c.subject, rollup.c.failure_type, executions),
        *(("all", 0, 1) if everything else (bucket, low, high)),
        subjects,
    ).group_by(rollup.c.subject, rollup.c.failure_type)
    cells = [(from_micros(at), _TYPES[kind], number) for at, kind, number in connection.execute(over_time)]
    by_type = _by_type(cells)
    failures = sum(by_type.values())
    return Overview(
        executions=sum(number for _, _, number in cells),
        failures=failures,
        by_type=by_type,
        over_time=tuple(cells),
        bucket=bucket,
        by_subject=tuple(
            (name, _TYPES[kind], number) for name, kind, number in connection.execute(by_subject)
        ),
    )


def subjects(connection: Connection) -> tuple[str, ...]:
    """All names that ever ran, sorted."""
    statement = select(rollup.c.subject).where(rollup.c.grain == "all").distinct().order_by(rollup.c.subject)
    return tuple(connection.execute(statement).scalars())


def counts(connection: Connection) -> tuple[int, int]:
    """All executions, and those that failed."""
    statement = select(
        func.coalesce(func.sum(rollup.c.executions), 0),
        func.coalesce(func.sum(rollup.c.executions).filter(rollup.c.failure_type != PASSED), 0),
    ).where(rollup.c.grain == "all")
    executions, failures = connection.execute(statement).one()
    return executions, failures


def _by_type(cells: list[tuple[datetime, FailureType | None, int]]) -> dict[FailureType, int]:
    totals = dict.fromkeys(FailureType, 0)
    for _, kind, number in cells:
        if kind is not None:
            totals[kind] += number
    return totals


def _range(connection: Connection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """What was asked for; where one end is open, that of the data."""
    oldest = select(func.min(rollup.c.bucket)).where(rollup.c.grain == "hour").scalar_subquery()
    newest = select(func.max(rollup.c.bucket)).where(rollup.c.grain == "hour").scalar_subquery()
    first, last = connection.execute(select(oldest, newest)).one()
    return (
        to_micros(since) if since else first or 0,
        to_micros(until) if until else (last or 0) + 1,
    )


def _within(
    statement: Select[Any], grain: Grain, low: int, high: int, subjects: tuple[str, ...]
) -> Select[Any]:
    narrowed = statement.where(rollup.c.grain == grain, rollup.c.bucket >= low, rollup.c.bucket < high)
    return narrowed.where(rollup.c.subject.in_(subjects)) if subjects else narrowed

"""All numbers of the overview, from the rollups alone."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, Table, func, select

from failtrace.contracts import FailureType
from failtrace.mirror import spread
from failtrace.mirror.rollups import ALL_TIME, Span
from failtrace.mirror.tables import PASSED, rollup, timeline, type_of
from failtrace.mirror.times import DAY, EARLIEST, HOUR, LATEST, from_micros, to_micros
from failtrace.mirror.views import Overview, Period

HOURLY_UP_TO = 3 * DAY

_SIZES: dict[Literal["hour", "day"], int] = {"hour": HOUR, "day": DAY}


def overview(
    connection: Connection, since: datetime | None, until: datetime | None, subjects: tuple[str, ...]
) -> Overview:
    """The numbers of whole buckets: `since` is rounded down to a bucket's start, `until` up to an end.

    Buckets are hours while the range (of the data, where no range is given) is at most three days, else days.
    """
    first, last = _range(connection, since, until)
    bucket: Literal["hour", "day"] = "hour" if last - first <= HOURLY_UP_TO else "day"
    span = Span(bucket, first // _SIZES[bucket] * _SIZES[bucket], -(-last // _SIZES[bucket]) * _SIZES[bucket])
    cells = _over_time(connection, span, subjects)
    by_type = dict.fromkeys(FailureType, 0)
    for _, kind, number in cells:
        if kind is not None:
            by_type[kind] += number
    # The counts of all time are one bucket of their own; no need to add up the days.
    span = ALL_TIME if since is None and until is None else span
    return Overview(
        executions=sum([number for _, _, number in cells]),
        failures=sum(by_type.values()),
        by_type=by_type,
        over_time=cells,
        bucket=bucket,
        by_subject=_by_subject(connection, span, subjects),
        durations=spread.durations(connection, span, subjects),
        previous=None if since is None else _previous(connection, span, subjects),
        slowest=spread.slowest(connection, span, subjects),
    )


def subjects(connection: Connection) -> tuple[str, ...]:
    """All names that ever ran, sorted."""
    statement = select(rollup.c.subject).where(rollup.c.grain == "all").distinct().order_by(rollup.c.subject)
    return tuple(connection.execute(statement).scalars())


def counts(connection: Connection) -> tuple[int, int]:
    """All executions, and those that failed."""
    statement = select(timeline.c.failure_type, timeline.c.executions).where(timeline.c.grain == "all")
    by_type = {row.failure_type: row.executions for row in connection.execute(statement)}
    executions = sum(by_type.values())
    return executions, executions - by_type.get(PASSED, 0)


def _previous(connection: Connection, span: Span, subjects: tuple[str, ...]) -> Period:
    """The same numbers of as many buckets just before."""
    before = Span(span.grain, 2 * span.since - span.until, span.since)
    cells = _over_time(connection, before, subjects)
    return Period(
        executions=sum([number for _, _, number in cells]),
        failures=sum([number for _, kind, number in cells if kind is not None]),
        durations=spread.durations(connection, before, subjects),
    )


def _over_time(
    connection: Connection, span: Span, subjects: tuple[str, ...]
) -> tuple[tuple[datetime, FailureType | None, int], ...]:
    # The timeline has one row for each cell; only the counts by subject are to be added up.
    statement = _sums(rollup, "bucket", span, subjects) if subjects else _cells(timeline, "bucket", span)
    rows = connection.execute(statement).all()
    moments = {bucket: from_micros(bucket) for bucket in {row[0] for row in rows}}
    return tuple([(moments[bucket], type_of(kind), number) for bucket, kind, number in rows])


def _by_subject(
    connection: Connection, span: Span, subjects: tuple[str, ...]
) -> tuple[tuple[str, FailureType | None, int], ...]:
    rows = connection.execute(_sums(rollup, "subject", span, subjects))
    return tuple([(subject, type_of(kind), number) for subject, kind, number in rows])


def _range(connection: Connection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """What was asked for; where one end is open, that of the data."""
    oldest = select(func.min(timeline.c.bucket)).where(timeline.c.grain == "hour").scalar_subquery()
    newest = select(func.max(timeline.c.bucket)).where(timeline.c.grain == "hour").scalar_subquery()
    first, last = connection.execute(select(oldest, newest)).one()
    return (
        to_micros(since) if since else max(first or 0, EARLIEST),
        to_micros(until) if until else min(last or 0, LATEST) + 1,
    )


def _sums(table: Table, by: str, span: Span, subjects: tuple[str, ...]) -> Select[Any]:
    """As `_cells`, added up over the columns that are not asked for, for some subjects or for all."""
    key = table.c[by], table.c.failure_type
    cells = _cells(table, by, span).with_only_columns(*key, func.sum(table.c.executions)).group_by(*key)
    return cells.where(table.c.subject.in_(subjects)) if subjects else cells


def _cells(table: Table, by: str, span: Span) -> Select[Any]:
    """(value of the column `by`, failure type, executions) in the buckets of a span."""
    key = table.c[by], table.c.failure_type
    return (
        select(*key, table.c.executions)
        .where(table.c.grain == span.grain, table.c.bucket >= span.since, table.c.bucket < span.until)
        .order_by(*key)
    )

"""Counts that are kept as records come in, so that a chart costs the same over any number of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection, bindparam, func, select

from failtrace.mirror.statement import Statement, compiled, numbered
from failtrace.mirror.tables import rollup, timeline
from failtrace.mirror.times import DAY, HOUR

Grain = Literal["hour", "day", "all"]

_Cells: TypeAlias = defaultdict[tuple[str | int, ...], list[float]]

_FOREVER = 2**62
_SIZES: tuple[tuple[Grain, int], ...] = (("day", DAY), ("hour", HOUR))

_ADD = """
    INSERT INTO timeline (grain, bucket, failure_type, executions, duration_ms, duration_ms_max)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        executions = executions + excluded.executions,
        duration_ms = duration_ms + excluded.duration_ms,
        duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)
"""
_ADD_BY_SUBJECT = """
    INSERT INTO rollup (grain, bucket, failure_type, subject, executions, duration_ms, duration_ms_max)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        executions = executions + excluded.executions,
        duration_ms = duration_ms + excluded.duration_ms,
        duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)
"""

_TAKE = "UPDATE timeline SET executions = executions - ? WHERE grain = ? AND bucket = ? AND failure_type = ?"
_TAKE_BY_SUBJECT = """
    UPDATE rollup SET executions = executions - ?
    WHERE grain = ? AND bucket = ? AND failure_type = ? AND subject = ?
"""
_DROP = "DELETE FROM timeline WHERE grain = ? AND bucket = ? AND failure_type = ? AND executions <= 0"
_DROP_BY_SUBJECT = """
    DELETE FROM rollup WHERE grain = ? AND bucket = ? AND failure_type = ? AND subject = ? AND executions <= 0
"""
_SETTLE = (
    "DELETE FROM timeline WHERE grain = 'all'",
    """INSERT INTO timeline
        SELECT 'all', 0, failure_type, sum(executions), coalesce(sum(duration_ms), 0.0), max(duration_ms_max)
        FROM timeline WHERE grain = 'day' GROUP BY failure_type""",
    "DELETE FROM rollup WHERE grain = 'all'",
    """INSERT INTO rollup
        SELECT 'all', 0, failure_type, subject, sum(executions), coalesce(sum(duration_ms), 0.0), max(duration_ms_max)
        FROM rollup WHERE grain = 'day' GROUP BY failure_type, subject""",
)


class Span(NamedTuple):
    """A half-open stretch of time in microseconds, and the grain whose buckets tile it (None: none does)."""

    grain: Grain | None
    since: int
    until: int


ALL_TIME = Span("all", 0, 1)


def add(connection: Connection, ended: Iterable[tuple[int, str, str, float]]) -> None:
    """Count executions, given as (ended_at, failure_type, subject, duration_ms)."""
    overall: _Cells = defaultdict(list)
    by_subject: _Cells = defaultdict(list)
    for ended_at, failure_type, subject, duration_ms in ended:
        for grain, bucket in buckets(ended_at):
            overall[grain, bucket, failure_type].append(duration_ms)
            by_subject[grain, bucket, failure_type, subject].append(duration_ms)
    connection.exec_driver_sql(_ADD, _rows(overall))
    connection.exec_driver_sql(_ADD_BY_SUBJECT, _rows(by_subject))


def remove(connection: Connection, ended: Iterable[tuple[int, str, str, float]]) -> None:
    """Take executions, given as (ended_at, failure_type, subject, duration_ms), out of the counts; what is empty goes.

    Durations cannot be taken out of a sum of floats exactly, nor out of a maximum: they go with their bucket, and out
    of those of all time by `settle`.
    """
    overall: Counter[tuple[str | int, ...]] = Counter()
    by_subject: Counter[tuple[str | int, ...]] = Counter()
    for ended_at, failure_type, subject, _ in ended:
        for grain, bucket in buckets(ended_at):
            overall[grain, bucket, failure_type] += 1
            by_subject[grain, bucket, failure_type, subject] += 1
    for cells, take, drop in ((overall, _TAKE, _DROP), (by_subject, _TAKE_BY_SUBJECT, _DROP_BY_SUBJECT)):
        connection.exec_driver_sql(take, [(number, *cell) for cell, number in cells.items()])
        connection.exec_driver_sql(drop, list(cells))


def settle(connection: Connection) -> None:
    """Make the counts of all time the sums of the days."""
    for statement in _SETTLE:
        connection.exec_driver_sql(statement)


def spans(since: int | None, until: int | None) -> tuple[Span, ...]:
    """Cut [since, until) into the largest buckets that fit and what is left at its edges."""
    if since is None and until is None:
        return (ALL_TIME,)
    whole = (-_FOREVER if since is None else since, _FOREVER if until is None else until)
    return tuple(_cut(*whole, _SIZES))


def count(connection: Connection, span: Span, failure_types: Sequence[str], subjects: Sequence[str]) -> int:
    """Executions of these types (and subjects, where any are given) in the buckets of a span."""
    values: dict[str, str | int | None] = {"grain": span.grain, "since": span.since, "until": span.until}
    values |= zip(numbered("type", len(failure_types)), failure_types, strict=True)
    values |= zip(numbered("subject", len(subjects)), subjects, strict=True)
    return int(_count(len(failure_types), len(subjects)).run(connection, values).scalar_one())


@lru_cache(maxsize=128)
def _count(failure_types: int, subjects: int) -> Statement:
    columns = rollup.c if subjects else timeline.c
    found = [
        columns.grain == bindparam("grain"),
        columns.bucket >= bindparam("since"),
        columns.bucket < bindparam("until"),
        columns.failure_type.in_(map(bindparam, numbered("type", failure_types))),
    ]
    if subjects:
        found.append(columns.subject.in_(map(bindparam, numbered("subject", subjects))))
    return compiled(select(func.coalesce(func.sum(columns.executions), 0)).where(*found))


def _rows(cells: _Cells) -> list[tuple[str | int | float, ...]]:
    return [(*cell, len(durations), sum(durations), max(durations)) for cell, durations in cells.items()]


def buckets(moment: int) -> tuple[tuple[Grain, int], ...]:
    """The bucket of each grain that holds a moment."""
    return ("hour", moment // HOUR * HOUR), ("day", moment // DAY * DAY), ("all", 0)


def _cut(since: int, until: int, sizes: tuple[tuple[Grain, int], ...]) -> Iterator[Span]:
    if since >= until:
        return
    if not sizes:
        yield Span(None, since, until)
        return
    (grain, size), finer = sizes[0], sizes[1:]
    first, last = -(-since // size) * size, until // size * size
    if first >= last:
        yield from _cut(since, until, finer)
        return
    yield from _cut(since, first, finer)
    yield Span(grain, first, last)
    yield from _cut(last, until, finer)

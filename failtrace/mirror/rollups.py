"""Counts that are kept as records come in, so that a chart costs the same over any number of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection, func, select

from failtrace.mirror.tables import rollup
from failtrace.mirror.times import DAY, HOUR

Grain = Literal["hour", "day", "all"]

_FOREVER = 2**62
_SIZES: tuple[tuple[Grain, int], ...] = (("day", DAY), ("hour", HOUR))

_ADD = """
    INSERT INTO rollup (grain, bucket, failure_type, subject, executions, duration_ms, duration_ms_max)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        executions = executions + excluded.executions,
        duration_ms = duration_ms + excluded.duration_ms,
        duration_ms_max = max(duration_ms_max, excluded.duration_ms_max)
"""


class Span(NamedTuple):
    """A half-open stretch of time in microseconds, and the grain whose buckets tile it (None: none does)."""

    grain: Grain | None
    since: int
    until: int


def add(connection: Connection, ended: Iterable[tuple[int, str, str, float]]) -> None:
    """Count executions, given as (ended_at, failure_type, subject, duration_ms)."""
    cells: dict[tuple[Grain, int, str, str], list[float]] = {}
    for ended_at, failure_type, subject, duration_ms in ended:
        for grain, bucket in _buckets(ended_at):
            cells.setdefault((grain, bucket, failure_type, subject), []).append(duration_ms)
    connection.exec_driver_sql(
        _ADD, [(*cell, len(durations), sum(durations), max(durations)) for cell, durations in cells.items()]
    )


def spans(since: int | None, until: int | None) -> tuple[Span, ...]:
    """Cut [since, until) into the largest buckets that fit and what is left at its edges."""
    if since is None and until is None:
        return (Span("all", 0, 1),)
    whole = (-_FOREVER if since is None else since, _FOREVER if until is None else until)
    return tuple(_cut(*whole, _SIZES))


def count(connection: Connection, span: Span, failure_types: Sequence[str], subjects: Sequence[str]) -> int:
    """Executions of these types (and subjects, where any are given) in the buckets of a span."""
    statement = (
        select(func.coalesce(func.sum(rollup.c.executions), 0))
        .where(rollup.c.grain == span.grain, rollup.c.bucket >= span.since, rollup.c.bucket < span.until)
        .where(rollup.c.failure_type.in_(failure_types))
    )
    if subjects:
        statement = statement.where(rollup.c.subject.in_(subjects))
    return int(connection.execute(statement).scalar_one())


def _buckets(moment: int) -> tuple[tuple[Grain, int], ...]:
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

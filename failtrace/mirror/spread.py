"""How long executions took, as histograms that are kept like the rollups: percentiles at any number of them.

A bin is a quarter of an octave, so a percentile is off by a tenth of itself at most. Of a few executions it is taken
from the executions themselves: next to a list of two, a tenth would be seen.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, Table, func, select

from failtrace.contracts import FailureType
from failtrace.mirror.rollups import ALL_TIME, Grain, Span, buckets
from failtrace.mirror.tables import PASSED, execution, rollup, spread, subject_spread
from failtrace.mirror.views import Durations, SubjectDurations

SLOWEST = 10
EXACT_UP_TO = 200
"""So many executions are looked at one by one, some milliseconds for all the subjects of a page."""
_CANDIDATES = 20
"""Subjects with the longest mean that are looked at for the longest 95th percentile."""
_SHORTEST_MS = 0.001
_BINS_AN_OCTAVE = 4

_ADD = """
    INSERT INTO spread (grain, bucket, bin, executions) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET executions = executions + excluded.executions
"""
_ADD_BY_SUBJECT = """
    INSERT INTO subject_spread (grain, subject, bucket, bin, executions) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET executions = executions + excluded.executions
"""
_DROP = "DELETE FROM spread WHERE grain = ? AND bucket = ? AND bin = ? AND executions <= 0"
_DROP_BY_SUBJECT = """
    DELETE FROM subject_spread WHERE grain = ? AND subject = ? AND bucket = ? AND bin = ? AND executions <= 0
"""

_Cells = Counter[tuple[str | int, ...]]


def bin_of(duration_ms: float) -> int:
    """The bin of a duration; bin 0 holds whatever is shorter than a microsecond."""
    if not duration_ms > _SHORTEST_MS:
        return 0
    return 1 + int((math.log2(duration_ms) - math.log2(_SHORTEST_MS)) * _BINS_AN_OCTAVE)


def middle_of(number: int) -> float:
    """The geometric middle of a bin, milliseconds."""
    return 2.0 ** ((number - 0.5) / _BINS_AN_OCTAVE + math.log2(_SHORTEST_MS)) if number else 0.0


def add(connection: Connection, ended: Iterable[tuple[int, str, str, float]]) -> None:
    """Count executions, given as (ended_at, failure_type, subject, duration_ms)."""
    overall, by_subject = _cells(ended)
    connection.exec_driver_sql(_ADD, [(*cell, number) for cell, number in overall.items()])
    connection.exec_driver_sql(_ADD_BY_SUBJECT, [(*cell, number) for cell, number in by_subject.items()])


def remove(connection: Connection, ended: Iterable[tuple[int, str, str, float]]) -> None:
    """Take executions out of the counts again; what is empty then goes."""
    for cells, less, drop in zip(_cells(ended), (_ADD, _ADD_BY_SUBJECT), (_DROP, _DROP_BY_SUBJECT), strict=True):
        connection.exec_driver_sql(less, [(*cell, -number) for cell, number in cells.items()])
        connection.exec_driver_sql(drop, list(cells))


def durations(connection: Connection, span: Span, subjects: Sequence[str] = ()) -> Durations | None:
    """Median and 95th percentile of the executions in a span, of some subjects or of all; None where nothing ran."""
    table = subject_spread if subjects else spread
    statement = (
        select(table.c.bin, func.sum(table.c.executions)).where(*_within(table, span)).group_by(table.c.bin)
    ).order_by(table.c.bin)
    if subjects:
        statement = statement.where(table.c.subject.in_(subjects))
    bins = connection.execute(statement).all()
    total = sum([number for _, number in bins])
    if total <= 0:
        return None
    exact = total <= EXACT_UP_TO
    cells = _each(connection, span, subjects) if exact else [(middle_of(number), count) for number, count in bins]
    if not cells:
        return None
    return Durations(_percentile(cells, 0.5), _percentile(cells, 0.95), exact=exact)


def slowest(connection: Connection, span: Span, subjects: Sequence[str] = ()) -> tuple[SubjectDurations, ...]:
    """The subjects with the longest 95th percentile, longest first: of those whose mean is among the longest twenty."""
    mean = func.sum(rollup.c.duration_ms) / func.sum(rollup.c.executions)
    statement = select(rollup.c.subject, func.sum(rollup.c.executions)).where(*_within(rollup, span))
    if subjects:
        statement = statement.where(rollup.c.subject.in_(subjects))
    statement = statement.group_by(rollup.c.subject).order_by(mean.desc(), rollup.c.subject).limit(_CANDIDATES)
    found = []
    for name, executions in connection.execute(statement).all():
        taken = durations(connection, span, (name,))
        if taken:
            found.append(SubjectDurations(name, executions, taken))
    return tuple(sorted(found, key=lambda item: (-item.durations.p95_ms, item.subject))[:SLOWEST])


def _each(connection: Connection, span: Span, subjects: Sequence[str]) -> list[tuple[float, int]]:
    """The duration of each execution in a span, shortest first, in the form of bins of one."""
    # The types are named, all of them, because the indexes begin with them.
    found: list[ColumnElement[bool]] = [execution.c.failure_type.in_([PASSED, *FailureType])]
    if subjects:
        found.append(execution.c.subject.in_(subjects))
    if span != ALL_TIME:
        found += [execution.c.ended_at >= span.since, execution.c.ended_at < span.until]
    durations = connection.execute(select(execution.c.duration_ms).where(*found)).scalars()
    return [(duration_ms, 1) for duration_ms in sorted(durations)]


def _percentile(cells: Sequence[tuple[float, int]], share: float) -> float:
    """The first duration up to which at least this share of the executions is."""
    rank = share * sum([number for _, number in cells])
    reached = 0
    for duration_ms, executions in cells:
        reached += executions
        if reached >= rank:
            return duration_ms
    return cells[-1][0]


def _within(table: Table, span: Span) -> tuple[ColumnElement[bool], ...]:
    return table.c.grain == span.grain, table.c.bucket >= span.since, table.c.bucket < span.until


def _cells(ended: Iterable[tuple[int, str, str, float]]) -> tuple[_Cells, _Cells]:
    overall, by_subject = _Cells(), _Cells()
    for ended_at, _, subject, duration_ms in ended:
        number = bin_of(duration_ms)
        grain: Grain
        for grain, bucket in buckets(ended_at):
            overall[grain, bucket, number] += 1
            by_subject[grain, subject, bucket, number] += 1
    return overall, by_subject

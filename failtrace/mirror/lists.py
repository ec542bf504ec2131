"""Pages of executions and of failures, and single rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from failtrace.contracts import FailureType
from failtrace.mirror import cursor, rollups
from failtrace.mirror.frequent import FREQUENT, newest_matching
from failtrace.mirror.search import match_expression
from failtrace.mirror.selection import COLUMNS, Selection, count_statement, page_statement
from failtrace.mirror.tables import PASSED, execution, tally
from failtrace.mirror.times import from_micros, to_micros
from failtrace.mirror.views import ExecutionRow, FailureFilter, Page

FAILED = tuple(kind.value for kind in FailureType)

TRACE_ID_LENGTH = 32
_BY_TRACE_ID = select(*COLUMNS).where(execution.c.trace_id == bindparam("any_id"))
_BY_FAILURE_ID = select(*COLUMNS).where(execution.c.failure_id == bindparam("any_id"))
_TYPES = {kind.value: kind for kind in FailureType} | {PASSED: None}


def failures(connection: Connection, wanted: FailureFilter, limit: int, after: str | None) -> Page[ExecutionRow]:
    """A page of failures. Raises InputError for a bad cursor, limit or time."""
    return _page(connection, _of_filter(wanted), limit, after)


def executions(
    connection: Connection,
    run_id: str | None,
    subject: str | None,
    passed: bool | None,
    limit: int,
    after: str | None,
) -> Page[ExecutionRow]:
    """A page of executions, passed and failed. Raises InputError for a bad cursor or limit."""
    failed = () if passed else FAILED
    selection = Selection(
        failure_types=failed if passed is False else (*failed, PASSED),
        subjects=() if subject is None else (subject,),
        run_id=run_id,
    )
    return _page(connection, selection, limit, after)


def execution_row(connection: Connection, any_id: str) -> ExecutionRow | None:
    """The execution of a trace_id or a failure_id."""
    statement = _BY_TRACE_ID if len(any_id) == TRACE_ID_LENGTH else _BY_FAILURE_ID
    row = connection.execute(statement, {"any_id": any_id}).first()
    return None if row is None else _view(row)


def _of_filter(wanted: FailureFilter) -> Selection:
    types = tuple(dict.fromkeys(kind.value for kind in wanted.failure_types)) or FAILED
    return Selection(
        failure_types=types,
        all_failures=len(types) == len(FAILED),
        subjects=tuple(dict.fromkeys(wanted.subjects)),
        run_id=wanted.run_id,
        fingerprint=wanted.fingerprint,
        match=match_expression(wanted.text),
        since=None if wanted.since is None else to_micros(wanted.since),
        until=None if wanted.until is None else to_micros(wanted.until),
    )


def _page(connection: Connection, selection: Selection, limit: int, after: str | None) -> Page[ExecutionRow]:
    start = None if after is None else cursor.decode(after)
    total = _total(connection, selection)
    # One row more than asked for tells whether there is a next page.
    rows = _rows(connection, selection, start, cursor.check_limit(limit) + 1, total)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        rows=tuple([_view(row) for row in rows[:limit]]),
        total=total,
        after=cursor.encode(last.ended_at, last.id) if last else None,
    )


def _rows(
    connection: Connection, selection: Selection, start: tuple[int, int] | None, limit: int, total: int
) -> Sequence[Row[Any]]:
    if selection.match is not None and total >= FREQUENT:
        rows = newest_matching(connection, selection, start, limit)
        if rows is not None:
            return rows
    statement, values = page_statement(selection, start, limit)
    return statement.run(connection, values).all()


def _total(connection: Connection, selection: Selection) -> int:
    """From the counts that are kept, as far as they reach; the rest is counted in an index."""
    timed = selection.since is not None or selection.until is not None
    if selection.match is not None or selection.fingerprint is not None:
        return _counted(connection, selection)
    if selection.run_id is not None:
        if timed or selection.subjects:
            return _counted(connection, selection)
        return _tallied(connection, selection.run_id, selection.failure_types)
    return sum(
        rollups.count(connection, span, selection.failure_types, selection.subjects)
        if span.grain
        else _counted(connection, replace(selection, since=span.since, until=span.until))
        for span in rollups.spans(selection.since, selection.until)
    )


def _counted(connection: Connection, selection: Selection) -> int:
    statement, values = count_statement(selection)
    return int(statement.run(connection, values).scalar_one())


def _tallied(connection: Connection, run_id: str, failure_types: Sequence[str]) -> int:
    statement = select(func.coalesce(func.sum(tally.c.executions), 0)).where(
        tally.c.run_id == run_id, tally.c.failure_type.in_(failure_types)
    )
    return int(connection.execute(statement).scalar_one())


def _view(row: Sequence[Any]) -> ExecutionRow:
    _, trace_id, failure_id, run_id, subject, outcome, failure_type, message, fingerprint, ended_at, duration = row
    return ExecutionRow(
        trace_id,
        failure_id,
        run_id,
        subject,
        outcome,
        _TYPES[failure_type],
        message,
        fingerprint,
        from_micros(ended_at),
        duration,
    )

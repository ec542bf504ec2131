"""Pages of executions and of failures, and single rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from failtrace.contracts import FailureType
from failtrace.mirror import cursor, rollups
from failtrace.mirror.frequent import FREQUENT, newest_matching
from failtrace.mirror.search import match_expression
from failtrace.mirror.selection import COLUMNS, MATCHES, Selection, count_statement, page_statement
from failtrace.mirror.tables import PASSED, body, execution, failure_text, tally, type_of
from failtrace.mirror.times import from_micros, to_micros
from failtrace.mirror.views import ExecutionRow, FailureFilter, Neighbours, Page, Sort

FAILED = tuple(kind.value for kind in FailureType)

TRACE_ID_LENGTH = 32
_BY_TRACE_ID = select(*COLUMNS).where(execution.c.trace_id == bindparam("any_id"))
_BY_FAILURE_ID = select(*COLUMNS).where(execution.c.failure_id == bindparam("any_id"))
_OPPOSITE: Final[dict[Sort, Sort]] = {
    "newest": "oldest",
    "oldest": "newest",
    "longest": "shortest",
    "shortest": "longest",
}
_FEW = 8_000
"""Rows up to which sorting them by duration is quicker than looking for them among all, in order."""
_TWIN = (
    select(*COLUMNS)
    .join(body, body.c.execution_id == execution.c.id)
    .where(body.c.passed_subject == bindparam("subject"))
    .order_by((execution.c.input_key == bindparam("key")).desc(), body.c.ended_at.desc())
    .limit(1)
)


def failures(
    connection: Connection, wanted: FailureFilter, limit: int, after: str | None, sort: Sort
) -> Page[ExecutionRow]:
    """A page of failures. Raises InputError for a bad cursor, limit or time."""
    return _page(connection, replace(_of_filter(wanted), sort=sort), limit, after)


def neighbours(connection: Connection, wanted: FailureFilter, sort: Sort, failure_id: str) -> Neighbours:
    """What stands before and after a failure in the list that `failures` gives. Raises InputError for a bad time."""
    row = connection.execute(_BY_FAILURE_ID, {"any_id": failure_id}).first()
    selection = _of_filter(wanted)
    if row is None or not _selects(connection, selection, row):
        return Neighbours()
    total = _total(connection, selection)

    def beside(order: Sort) -> str | None:
        listed = replace(selection, sort=order)
        rows = _rows(connection, listed, (getattr(row, listed.key), row.id), 1, total)
        return str(rows[0].failure_id) if rows else None

    return Neighbours(previous=beside(_OPPOSITE[sort]), next=beside(sort))


def passed_twin(connection: Connection, any_id: str) -> ExecutionRow | None:
    """A passed execution of the same subject whose record is kept: on the same input first, else the newest."""
    row = execution_row(connection, any_id)
    if row is None:
        return None
    key = bytes.fromhex(row.input_key) if row.input_key else None
    found = connection.execute(_TWIN, {"subject": row.subject, "key": key}).first()
    return None if found is None or found.trace_id == row.trace_id else view(found)


def last_results(connection: Connection, subjects: Sequence[str]) -> dict[str, ExecutionRow]:
    """The newest execution of each subject that ever ran."""
    found = {}
    for subject in dict.fromkeys(subjects):
        rows = _rows(connection, Selection((*FAILED, PASSED), subjects=(subject,)), None, 1, 0)
        if rows:
            found[subject] = view(rows[0])
    return found


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
    return None if row is None else view(row)


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
    start = None if after is None else _place(selection, after)
    total = _total(connection, selection)
    # One row more than asked for tells whether there is a next page.
    rows = _rows(connection, selection, start, cursor.check_limit(limit) + 1, total)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        rows=tuple([view(row) for row in rows[:limit]]),
        total=total,
        after=cursor.encode(getattr(last, selection.key), last.id) if last else None,
    )


def _rows(
    connection: Connection, selection: Selection, start: tuple[float, int] | None, limit: int, total: int
) -> Sequence[Row[Any]]:
    if selection.match is not None and total >= FREQUENT:
        rows = newest_matching(connection, selection, start, limit)
        if rows is not None:
            return rows
    statement, values = page_statement(replace(selection, few=total <= _FEW), start, limit)
    return statement.run(connection, values).all()


def _place(selection: Selection, after: str) -> tuple[float, int]:
    return cursor.decode(after) if selection.key == "ended_at" else cursor.decode_duration(after)


def _selects(connection: Connection, selection: Selection, row: Row[Any]) -> bool:
    """Whether this failure is in the list."""
    return (
        row.failure_type in selection.failure_types
        and (not selection.subjects or row.subject in selection.subjects)
        and selection.run_id in (None, row.run_id)
        and selection.fingerprint in (None, row.fingerprint)
        and (selection.since is None or row.ended_at >= selection.since)
        and (selection.until is None or row.ended_at < selection.until)
        and (selection.match is None or _matches(connection, selection.match, row.id))
    )


def _matches(connection: Connection, match: str, row_id: int) -> bool:
    statement = select(failure_text.c.rowid).where(MATCHES, failure_text.c.rowid == row_id)
    return connection.execute(statement, {"match": match}).first() is not None


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


def view(row: Sequence[Any]) -> ExecutionRow:
    """A row of the columns that lists are made of."""
    _, trace_id, failure_id, run_id, subject, outcome, failure_type, message, fingerprint, ended_at, duration, key = row
    return ExecutionRow(
        trace_id,
        failure_id,
        run_id,
        subject,
        outcome,
        type_of(failure_type),
        message,
        fingerprint,
        from_micros(ended_at),
        duration,
        None if key is None else key.hex(),
    )

"""Runs: their life, and how far they are. The counts are those of `tally`, kept by every write of records."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, tuple_, update

from failtrace.contracts import FailureType
from failtrace.errors import InputError, RecordNotFound
from failtrace.mirror import cursor
from failtrace.mirror.tables import PASSED, run, tally
from failtrace.mirror.texts import speakable
from failtrace.mirror.times import from_micros
from failtrace.mirror.views import Page, RunRow, RunState

_RUNNING = "running"


def start(connection: Connection, run_id: str, subjects: Sequence[str], planned: int | None, pid: int, at: int) -> None:
    """File a run as running. Raises InputError where the run_id is taken."""
    if _known(connection, run_id):
        raise InputError(f"A run with the id {run_id!r} exists already; give the new run an id of its own.")
    connection.execute(
        insert(run).values(
            run_id=run_id,
            state=_RUNNING,
            started_at=at,
            subjects=json.dumps(list(subjects)),
            planned=planned,
            not_run=0,
            bad_lines=0,
            pid=pid,
            cancel_requested=False,
        )
    )


def set_planned(connection: Connection, run_id: str, planned: int) -> None:
    """Say how many executions were asked for, once the inputs are read. Raises RecordNotFound."""
    _change(connection, run_id, planned=planned)


def finish(connection: Connection, run_id: str, *, state: RunState, not_run: int, bad_lines: int, at: int) -> None:
    """File a run as ended. Raises RecordNotFound."""
    _change(connection, run_id, state=state, not_run=not_run, bad_lines=bad_lines, ended_at=at)


def request_cancel(connection: Connection, run_id: str) -> bool:
    """Ask a run to stop; False where no such run is running."""
    statement = update(run).where(run.c.run_id == run_id, run.c.state == _RUNNING).values(cancel_requested=True)
    return connection.execute(statement).rowcount > 0


def cancel_requested(connection: Connection, run_id: str) -> bool:
    """Whether somebody asked the run to stop."""
    return bool(connection.execute(select(run.c.cancel_requested).where(run.c.run_id == run_id)).scalar())


def one(connection: Connection, run_id: str) -> RunRow | None:
    """A run by its id."""
    rows = connection.execute(select(run).where(run.c.run_id == run_id)).all()
    return next(iter(_views(connection, rows)), None)


def page(connection: Connection, limit: int, after: str | None) -> Page[RunRow]:
    """Runs, newest first. Raises InputError for a bad cursor or limit."""
    statement = select(run).order_by(run.c.started_at.desc(), run.c.id.desc()).limit(cursor.check_limit(limit) + 1)
    if after is not None:
        statement = statement.where(tuple_(run.c.started_at, run.c.id) < tuple_(*cursor.decode(after)))
    rows = connection.execute(statement).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        rows=_views(connection, rows[:limit]),
        total=connection.execute(select(func.count()).select_from(run)).scalar_one(),
        after=cursor.encode(last.started_at, last.id) if last else None,
    )


def running(connection: Connection) -> tuple[tuple[str, int], ...]:
    """The running runs, as (run_id, pid)."""
    rows = connection.execute(select(run.c.run_id, run.c.pid).where(run.c.state == _RUNNING))
    return tuple([(run_id, pid) for run_id, pid in rows])


def interrupt(connection: Connection, run_ids: Sequence[str], at: int) -> None:
    """File runs as interrupted, unless they have ended meanwhile."""
    still_running = run.c.run_id.in_(run_ids), run.c.state == _RUNNING
    connection.execute(update(run).where(*still_running).values(state="interrupted", ended_at=at))


def is_name_list(text: str) -> bool:
    """Whether a text is a JSON list of texts, as the column `subjects` holds."""
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(names, list) and all(isinstance(name, str) and speakable(name) for name in names)


def _known(connection: Connection, run_id: str) -> bool:
    return connection.execute(select(run.c.id).where(run.c.run_id == run_id)).first() is not None


def _change(connection: Connection, run_id: str, **values: Any) -> None:
    if not connection.execute(update(run).where(run.c.run_id == run_id).values(**values)).rowcount:
        raise RecordNotFound(f"No run has the id {run_id!r}; start it before changing it.")


def _views(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[RunRow, ...]:
    counts: dict[str, dict[str, int]] = {row.run_id: {} for row in rows}
    statement = select(tally).where(tally.c.run_id.in_(counts))
    for run_id, failure_type, executions in connection.execute(statement):
        # A damaged page of `tally` may answer with a run that nobody asked for.
        counts.get(run_id, {})[failure_type] = executions
    return tuple([_view(row, counts[row.run_id]) for row in rows])


def _view(row: Row[Any], counts: dict[str, int]) -> RunRow:
    return RunRow(
        run_id=row.run_id,
        state=row.state,
        started_at=from_micros(row.started_at),
        ended_at=None if row.ended_at is None else from_micros(row.ended_at),
        subjects=tuple(json.loads(row.subjects)) if is_name_list(row.subjects) else (),
        planned=row.planned,
        passed=counts.get(PASSED, 0),
        by_type={kind: counts.get(kind.value, 0) for kind in FailureType},
        not_run=row.not_run,
        bad_lines=row.bad_lines,
        pid=row.pid,
        cancel_requested=bool(row.cancel_requested),
    )

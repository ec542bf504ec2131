"""Retention: what is older than a person chose goes, in steps that block nobody for long."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select, update

from failtrace.codec import decode_record
from failtrace.errors import UnreadableRecord
from failtrace.mirror.engine import Database
from failtrace.mirror.search import text_of
from failtrace.mirror.tables import PASSED, body, delivery, execution, kept, outbox, rollup, run, tally, timeline
from failtrace.mirror.times import DAY

_FORGET_TEXT = "INSERT INTO failure_text (failure_text, rowid, text) VALUES ('delete', ?, ?)"
_PENDING = exists().where(outbox.c.execution_id == execution.c.id, outbox.c.state == "pending")


def retain(database: Database, before: int, batch: int) -> int:
    """Drop the executions that ended before the UTC day of `before` (microseconds); gives how many went.

    The counts go first, by whole days and in one transaction; the executions follow in batches. A process that is
    killed in between leaves executions without counts, and the next call drops them. What still waits for Cosmos DB
    stays.
    """
    cutoff = before // DAY * DAY
    with database.transaction() as connection:
        counted = _first(connection, select(timeline.c.bucket).where(*_old_days(timeline, cutoff)))
        if not counted and not _old(connection, cutoff, 1):
            return 0
    if counted:
        with database.transaction("BEGIN IMMEDIATE") as connection:
            _uncount(connection, cutoff)
    dropped = 0
    while True:
        with database.transaction("BEGIN IMMEDIATE") as connection:
            rows = _old(connection, cutoff, batch)
            if not rows:
                _drop_runs(connection, cutoff)
                return dropped
            _drop(connection, rows)
        dropped += len(rows)


def _old(connection: Connection, cutoff: int, most: int) -> Sequence[Any]:
    """Executions of the first type that has any; by type, since that is how they are indexed."""
    for failure_type in connection.execute(select(execution.c.failure_type).distinct()).scalars().all():
        found = execution.c.failure_type == failure_type, execution.c.ended_at < cutoff, ~_PENDING
        statement = (
            select(execution.c.id, execution.c.failure_type, execution.c.subject, body.c.body)
            .join_from(execution, body, body.c.execution_id == execution.c.id, isouter=True)
            .where(*found)
            .order_by(execution.c.ended_at)
        )
        if rows := connection.execute(statement.limit(most)).all():
            return rows
    return ()


def _drop(connection: Connection, rows: Sequence[Any]) -> None:
    ids = [row.id for row in rows]
    for row in rows:
        if row.failure_type != PASSED and (text := _text(row.body)) is not None:
            connection.exec_driver_sql(_FORGET_TEXT, (row.id, text))
    passed = Counter(row.subject for row in rows if row.failure_type == PASSED and row.body is not None)
    for subject, number in passed.items():
        connection.execute(update(kept).where(kept.c.subject == subject).values(records=kept.c.records - number))
    for table in (body, delivery, outbox):
        connection.execute(delete(table).where(table.c.execution_id.in_(ids)))
    connection.execute(delete(execution).where(execution.c.id.in_(ids)))


def _text(encoded: object) -> str | None:
    """What the search knows a failure by: to forget it, FTS5 must be told; None where the record is damaged."""
    try:
        record = decode_record(encoded) if isinstance(encoded, bytes) else None
    except UnreadableRecord:
        return None
    return text_of(record, record.failure) if record and record.failure else None


def _uncount(connection: Connection, cutoff: int) -> None:
    """Take the days before the cutoff out of the counts; those of all time are the sum of the days that stay."""
    for table, keys in ((timeline, ("failure_type",)), (rollup, ("failure_type", "subject"))):
        connection.execute(delete(table).where(table.c.grain.in_(("day", "hour")), table.c.bucket < cutoff))
        day = table.alias("day")
        same = [day.c.grain == "day", *[day.c[key] == table.c[key] for key in keys]]
        left = {
            "executions": func.coalesce(func.sum(day.c.executions), 0),
            "duration_ms": func.coalesce(func.sum(day.c.duration_ms), 0.0),
            "duration_ms_max": func.coalesce(func.max(day.c.duration_ms_max), 0.0),
        }
        sums = {name: select(value).where(*same).scalar_subquery() for name, value in left.items()}
        connection.execute(update(table).where(table.c.grain == "all").values(**sums))
        connection.execute(delete(table).where(table.c.grain == "all", table.c.executions == 0))


def _drop_runs(connection: Connection, cutoff: int) -> None:
    """Runs of which nothing is left."""
    empty = select(run.c.run_id).where(
        run.c.started_at < cutoff, run.c.state != "running", ~exists().where(execution.c.run_id == run.c.run_id)
    )
    gone = connection.execute(empty).scalars().all()
    connection.execute(delete(tally).where(tally.c.run_id.in_(gone)))
    connection.execute(delete(run).where(run.c.run_id.in_(gone)))


def _old_days(table: Any, cutoff: int) -> tuple[Any, ...]:
    return table.c.grain == "day", table.c.bucket < cutoff


def _first(connection: Connection, statement: Any) -> bool:
    return connection.execute(statement.limit(1)).first() is not None

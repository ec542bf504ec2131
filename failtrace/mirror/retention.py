"""Retention: what is older than a person chose goes, in steps that block nobody for long."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, exists, select

from failtrace.codec import decode_record
from failtrace.errors import UnreadableRecord
from failtrace.mirror import rollups, spread
from failtrace.mirror.counted import counted
from failtrace.mirror.engine import Database
from failtrace.mirror.lists import FAILED
from failtrace.mirror.search import text_of
from failtrace.mirror.tables import PASSED, body, execution, outbox, run, unreadable
from failtrace.mirror.times import DAY

_PENDING = exists().where(outbox.c.execution_id == execution.c.id, outbox.c.state == "pending")
_OLD = (
    select(execution, body.c.body)
    .join_from(
        execution, body, and_(body.c.execution_id == execution.c.id, execution.c.failure_type != PASSED), isouter=True
    )
    .where(~_PENDING)
    .order_by(execution.c.ended_at)
)

_STILL_THERE = """
    SELECT id FROM execution WHERE id IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE execution_id = id AND state = 'pending')
"""
_FORGET_TEXT = "INSERT INTO failure_text (failure_text, rowid, text) VALUES ('delete', ?, ?)"
_DROP_BODIES = "DELETE FROM body WHERE execution_id IN (SELECT value FROM json_each(?)) RETURNING passed_subject"
_DROP = (
    "DELETE FROM delivery WHERE execution_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM outbox WHERE execution_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM execution WHERE id IN (SELECT value FROM json_each(?))",
)
_LESS_KEPT = "UPDATE kept SET records = records - ? WHERE subject = ?"
_LESS_TALLIED = "UPDATE tally SET executions = executions - ? WHERE run_id = ? AND failure_type = ?"
_DROP_TALLY = "DELETE FROM tally WHERE run_id = ? AND failure_type = ? AND executions <= 0"
_NEVER_AGAIN = "UPDATE state SET last_id = max(last_id, ?)"


class _Old(NamedTuple):
    """An execution that may go."""

    id: int
    run_id: str | None
    failure_type: str
    subject: str
    ended_at: int
    duration_ms: float
    text: str | None
    """What the search knows it by; None where it passed, or its record is damaged."""


def retain(database: Database, *, now: int, days: int, batch: int) -> int:
    """Drop the executions that ended before the UTC day `days` days before `now`; gives how many went.

    Each transaction drops up to `batch` of them with all that is known of them, counts included, so a process may be
    killed at any moment; the next call goes on. What still waits for Cosmos DB stays.
    """
    cutoff = (now - days * DAY) // DAY * DAY
    dropped = 0
    while old := _oldest(database, cutoff, batch):
        with counted(database, now) as connection:
            dropped += _drop(connection, old)
    leftovers = _leftovers(cutoff)
    with database.transaction() as connection:
        left = any(connection.execute(select(*table.primary_key).where(which)).first() for table, which in leftovers)
    if dropped or left:
        with counted(database, now) as connection:
            rollups.settle(connection)
            for table, which in leftovers:
                connection.execute(delete(table).where(which))
    return dropped


def _oldest(database: Database, cutoff: int, most: int) -> list[_Old]:
    """The oldest executions of the first type that has any to drop; by type, since that is how they are indexed."""
    with database.transaction() as connection:
        for failure_type in (PASSED, *FAILED):
            statement = _OLD.where(execution.c.failure_type == failure_type, execution.c.ended_at < cutoff).limit(most)
            # One at a time: a body may have 30 MB, and the text is a few KB of it.
            if found := [_old(row) for row in connection.execute(statement)]:
                return found
    return []


def _old(row: Row[Any]) -> _Old:
    return _Old(
        row.id, row.run_id, row.failure_type, row.subject, row.ended_at, row.duration_ms, _text(row.body, row.sha256)
    )


def _text(encoded: object, sha256: bytes) -> str | None:
    """FTS5 forgets a row only when it is told exactly what it was given."""
    if not isinstance(encoded, bytes) or hashlib.sha256(encoded).digest() != sha256:
        return None
    try:
        record = decode_record(encoded)
    except UnreadableRecord:
        return None
    return text_of(record, record.failure) if record.failure else None


def _drop(connection: Connection, found: Sequence[_Old]) -> int:
    """Drop those that nobody dropped, or had sent, since they were read; gives how many."""
    ids = connection.exec_driver_sql(_STILL_THERE, (json.dumps([old.id for old in found]),)).scalars().all()
    there = set(ids)
    going = [old for old in found if old.id in there]
    if not going:
        return 0
    chosen = (json.dumps([old.id for old in going]),)
    texts = [(old.id, old.text) for old in going if old.text is not None]
    passed = Counter(connection.exec_driver_sql(_DROP_BODIES, chosen).scalars())
    tallies = Counter((old.run_id, old.failure_type) for old in going if old.run_id is not None)
    _run_many(connection, _FORGET_TEXT, texts)
    _run_many(connection, _LESS_KEPT, [(number, subject) for subject, number in passed.items() if subject is not None])
    _run_many(connection, _LESS_TALLIED, [(number, *key) for key, number in tallies.items()])
    _run_many(connection, _DROP_TALLY, list(tallies))
    ended = [(old.ended_at, old.failure_type, old.subject, old.duration_ms) for old in going]
    rollups.remove(connection, ended)
    spread.remove(connection, ended)
    for statement in _DROP:
        connection.exec_driver_sql(statement, chosen)
    # A text that could not be forgotten must never find another execution.
    connection.exec_driver_sql(_NEVER_AGAIN, (max(there),))
    return len(going)


def _run_many(connection: Connection, statement: str, values: list[Any]) -> None:
    if values:
        connection.exec_driver_sql(statement, values)


def _leftovers(cutoff: int) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """What goes beside executions: runs of which nothing is left, and old items that could not be read."""
    nothing_left = ~exists().where(execution.c.run_id == run.c.run_id)
    return (
        (run, and_(run.c.started_at < cutoff, run.c.state != "running", nothing_left)),
        (unreadable, unreadable.c.ts < cutoff // 1_000_000),
    )

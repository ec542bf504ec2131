"""How records come into the mirror: many in one transaction, each once, with what counts and finds them."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from failtrace.contracts import Json, TraceRecord
from failtrace.errors import FailureIdTaken
from failtrace.mirror import rollups, spread
from failtrace.mirror.search import text_of
from failtrace.mirror.tables import PASSED
from failtrace.mirror.times import to_micros

MESSAGE_LIMIT = 1000
"""Characters of a failure's message in its summary row; the record has all of it."""

_KNOWN = """
    SELECT trace_id FROM execution WHERE trace_id IN (SELECT value FROM json_each(?))
"""
_OTHERS_FAILURE = """
    SELECT failure_id FROM execution WHERE failure_id IN (SELECT value FROM json_each(?)) LIMIT 1
"""
_LAST_ID = "SELECT max(last_id, (SELECT coalesce(max(id), 0) FROM execution)) FROM state"
"""The greatest id that was ever given: none is given twice."""
_ADD_EXECUTION = """
    INSERT INTO execution (id, trace_id, failure_id, run_id, subject, outcome, failure_type, message,
                           fingerprint, ended_at, duration_ms, sha256, input_key, stored_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ADD_BODY = "INSERT INTO body (execution_id, passed_subject, ended_at, body) VALUES (?, ?, ?, ?)"
_ADD_TEXT = "INSERT INTO failure_text (rowid, text) VALUES (?, ?)"
_ADD_TALLY = """
    INSERT INTO tally (run_id, failure_type, executions) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET executions = executions + excluded.executions
"""
_ADD_KEPT = """
    INSERT INTO kept (subject, records) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET records = records + excluded.records
    RETURNING records
"""
_ADD_OUTBOX = """
    INSERT INTO outbox (execution_id, state, added_at, due_at, attempts) VALUES (?, 'pending', ?, ?, 0)
"""
_PRUNE = """
    DELETE FROM body WHERE execution_id IN (
        SELECT execution_id FROM body WHERE passed_subject = ?
        ORDER BY ended_at DESC, execution_id DESC LIMIT -1 OFFSET ?
    )
"""
_SET_KEPT = "UPDATE kept SET records = ? WHERE subject = ?"


class Entry(NamedTuple):
    """What the mirror takes from one record, computed before the transaction begins."""

    trace_id: str
    failure_id: str | None
    run_id: str | None
    subject: str
    outcome: str
    failure_type: str
    message: str
    fingerprint: str | None
    ended_at: int
    duration_ms: float
    sha256: bytes
    input_key: bytes | None
    body: bytes
    text: str


_SUMMARY_FIELDS = Entry._fields.index("body")
"""The fields before the body are the columns of the summary row, in order."""


def entry_of(record: TraceRecord, body: bytes, sha256: str) -> Entry:
    """The entry of a record, of its encoding and of that one's digest."""
    failure = record.failure
    return Entry(
        trace_id=record.trace_id,
        failure_id=record.failure_id,
        run_id=record.run_id,
        subject=record.subject.name,
        outcome=record.outcome.kind,
        failure_type=failure.failure_type.value if failure else PASSED,
        message=failure.message[:MESSAGE_LIMIT] if failure else "",
        fingerprint=failure.fingerprint if failure else None,
        ended_at=to_micros(failure.occurred_at if failure else record.ended_at),
        duration_ms=record.duration_ms,
        sha256=bytes.fromhex(sha256),
        input_key=input_key(record.input),
        body=body,
        text=text_of(record, failure) if failure else "",
    )


def input_key(value: Json) -> bytes:
    """What finds executions on an equal input, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def write(
    connection: Connection, entries: Sequence[Entry], *, keep_passed: int, stored_at: int, outbox: bool = False
) -> int:
    """Add what is not there yet, in the transaction of `connection`; gives how many that were.

    With `outbox` each failure among them is to be sent to Cosmos DB.
    Raises FailureIdTaken where a failure_id already names another execution; roll the transaction back then.
    """
    fresh = _unknown(connection, entries)
    if not fresh:
        return 0
    first_id = connection.exec_driver_sql(_LAST_ID).scalar_one() + 1
    numbered = list(enumerate(fresh, first_id))
    connection.exec_driver_sql(
        _ADD_EXECUTION,
        [(number, *entry[:_SUMMARY_FIELDS], stored_at) for number, entry in numbered],
    )
    _add_bodies(connection, [pair for pair in numbered if pair[1].body and (keep_passed or pair[1].failure_id)])
    _add_texts(connection, numbered)
    ended = [(entry.ended_at, entry.failure_type, entry.subject, entry.duration_ms) for entry in fresh]
    rollups.add(connection, ended)
    spread.add(connection, ended)
    _add_tallies(connection, fresh)
    _keep_newest(connection, fresh, keep_passed)
    failures = [(number, stored_at, stored_at) for number, entry in numbered if entry.failure_id] if outbox else []
    if failures:
        connection.exec_driver_sql(_ADD_OUTBOX, failures)
    return len(fresh)


def _unknown(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    by_trace = {entry.trace_id: entry for entry in reversed(entries)}
    known = connection.exec_driver_sql(_KNOWN, (json.dumps(list(by_trace)),)).scalars()
    for trace_id in known.all():
        del by_trace[trace_id]
    fresh = list(reversed(by_trace.values()))
    _refuse_twins(connection, fresh)
    return fresh


def _refuse_twins(connection: Connection, fresh: Sequence[Entry]) -> None:
    ids = [entry.failure_id for entry in fresh if entry.failure_id]
    twin = connection.exec_driver_sql(_OTHERS_FAILURE, (json.dumps(ids),)).scalar() if ids else None
    if twin is None and len(set(ids)) < len(ids):
        twin = Counter(ids).most_common(1)[0][0]
    if twin is not None:
        raise FailureIdTaken(
            f"The failure_id {twin!r} already names another execution, so nothing was stored; "
            "give each failure an id of its own."
        )


def _add_bodies(connection: Connection, numbered: Sequence[tuple[int, Entry]]) -> None:
    rows = [
        (number, None if entry.failure_id else entry.subject, entry.ended_at, entry.body) for number, entry in numbered
    ]
    if rows:
        connection.exec_driver_sql(_ADD_BODY, rows)


def _add_texts(connection: Connection, numbered: Sequence[tuple[int, Entry]]) -> None:
    rows = [(number, entry.text) for number, entry in numbered if entry.failure_id]
    if rows:
        connection.exec_driver_sql(_ADD_TEXT, rows)


def _add_tallies(connection: Connection, fresh: Sequence[Entry]) -> None:
    tallies = Counter((entry.run_id, entry.failure_type) for entry in fresh if entry.run_id is not None)
    if tallies:
        connection.exec_driver_sql(_ADD_TALLY, [(*key, number) for key, number in tallies.items()])


def _keep_newest(connection: Connection, fresh: Sequence[Entry], keep_passed: int) -> None:
    """Drop the oldest bodies of passed executions, a tenth of the limit at a time: few writes pay for it."""
    passed = Counter(entry.subject for entry in fresh if entry.body and not entry.failure_id)
    for subject, number in passed.items():
        added = number if keep_passed else 0
        held = connection.exec_driver_sql(_ADD_KEPT, (subject, added)).scalar_one()
        if held > keep_passed + keep_passed // 10:
            connection.exec_driver_sql(_PRUNE, (subject, keep_passed))
            connection.exec_driver_sql(_SET_KEPT, (keep_passed, subject))

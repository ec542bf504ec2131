"""The inbox: what other machines wrote to Cosmos DB, and how far it was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from failtrace.codec import digest
from failtrace.contracts import TraceRecord
from failtrace.mirror import writes
from failtrace.mirror.counted import counted
from failtrace.mirror.engine import Database
from failtrace.mirror.tables import inbox, unreadable
from failtrace.mirror.texts import spoken
from failtrace.mirror.times import from_micros, to_micros
from failtrace.mirror.views import InboxState, UnreadableItem

_KNOWN = "SELECT failure_id FROM execution WHERE failure_id IN (SELECT value FROM json_each(?))"
_TRACES = """
    SELECT trace_id, failure_id FROM execution WHERE trace_id IN (SELECT value FROM json_each(?))
"""
_ARRIVED = """
    INSERT INTO delivery (execution_id, delivered_at, attempts, request_charge, activity_id, parts)
    SELECT id, ?, 0, 0, '', 0 FROM execution WHERE failure_id = ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE execution_id = id) ON CONFLICT DO NOTHING
"""
_NO_FAILURE = "It is the record of an execution that passed."
_TWIN = "Its trace_id or failure_id names another execution in this mirror, which stays as it is."

Arrival = tuple[TraceRecord, bytes, int]
"""A record, its encoding, and Cosmos DB's `_ts` (seconds)."""


class Inbox:
    """Every method may raise StoreError. `source` names a container; each has a watermark of its own."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def watermark(self, source: str) -> int | None:
        """The `_ts` (seconds) up to which the container was read; None where it never was."""
        return self.state(source).watermark

    def state(self, source: str) -> InboxState:
        """How far a container was read, when, and what went wrong last."""
        with self._database.transaction() as connection:
            row = connection.execute(select(inbox).where(inbox.c.source == source)).first()
        if row is None:
            return InboxState(None, None, None)
        return InboxState(row.watermark, None if row.synced_at is None else from_micros(row.synced_at), row.error)

    def unknown(self, failure_ids: Sequence[str]) -> set[str]:
        """Those of these ids that the mirror does not hold; any text may be among them."""
        with self._database.transaction() as connection:
            known = connection.exec_driver_sql(_KNOWN, (json.dumps(list(failure_ids)),)).scalars().all()
        return set(failure_ids).difference(known)

    def take(
        self, source: str, items: Sequence[Arrival], *, watermark: int, unreadable: Sequence[UnreadableItem] = ()
    ) -> int:
        """Store what came, and how far that is, in one transaction; gives how many records were new. Idempotent.

        The watermark never goes back. A record that is no failure, or whose ids name another execution here, is filed
        as unreadable; whichever is here now no longer is.
        """
        now = to_micros(self._clock())
        arrived = [(writes.entry_of(record, body, digest(body)), ts) for record, body, ts in items]
        with self._writing() as connection:
            fitting, misfits = _parted(connection, arrived)
            entries = [entry for entry, _ in fitting]
            taken = writes.write(connection, entries, keep_passed=0, stored_at=now) if entries else 0
            for entry, ts in fitting:
                connection.exec_driver_sql(_ARRIVED, (ts * 1_000_000, entry.failure_id))
            _forget(connection, source, [entry.failure_id for entry in entries if entry.failure_id])
            _file_unreadable(connection, source, (*unreadable, *misfits))
            row = insert(inbox).values(source=source, watermark=watermark, synced_at=now)
            further = func.max(func.coalesce(inbox.c.watermark, 0), row.excluded.watermark)
            connection.execute(
                row.on_conflict_do_update(index_elements=["source"], set_={"watermark": further, "synced_at": now})
            )
            return taken

    def unreadable(self, source: str, limit: int = 50) -> tuple[UnreadableItem, ...]:
        """Items that could not be read, newest first."""
        found = select(unreadable).where(unreadable.c.source == source)
        with self._database.transaction() as connection:
            rows = connection.execute(found.order_by(unreadable.c.ts.desc()).limit(limit))
            return tuple([UnreadableItem(row.item_id, row.ts, row.reason, row.body) for row in rows])

    def count_unreadable(self, source: str) -> int:
        """How many items could not be read."""
        found = select(func.count()).select_from(unreadable).where(unreadable.c.source == source)
        with self._database.transaction() as connection:
            return int(connection.execute(found).scalar_one())

    def told_unreadable(self, source: str, item_ids: Collection[str]) -> dict[str, int]:
        """Those of these items that could not be read before, with the `_ts` they had."""
        found = select(unreadable.c.item_id, unreadable.c.ts).where(
            unreadable.c.source == source, unreadable.c.item_id.in_([spoken(item_id) for item_id in item_ids])
        )
        with self._database.transaction() as connection:
            return {row.item_id: row.ts for row in connection.execute(found)}

    def unreadable_ids(self, source: str, limit: int) -> tuple[tuple[str, int], ...]:
        """The ids of items that could not be read, with their `_ts`, newest first; their bodies may be large."""
        found = select(unreadable.c.item_id, unreadable.c.ts).where(unreadable.c.source == source)
        with self._database.transaction() as connection:
            rows = connection.execute(found.order_by(unreadable.c.ts.desc()).limit(limit))
            return tuple([(row.item_id, row.ts) for row in rows])

    def forget(self, source: str, item_ids: Collection[str]) -> None:
        """Items that are gone."""
        with self._writing() as connection:
            _forget(connection, source, item_ids)

    def note(self, source: str, error: str | None) -> None:
        """How a sync ended: with one sentence on what went wrong, or well."""
        now = to_micros(self._clock())
        told = {"error": spoken(error)} if error else {"error": None, "synced_at": now}
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            row = insert(inbox).values(source=source, **told)
            connection.execute(row.on_conflict_do_update(index_elements=["source"], set_=told))

    def _writing(self) -> AbstractContextManager[Connection]:
        return counted(self._database, to_micros(self._clock()))


def _parted(
    connection: Connection, arrived: Sequence[tuple[writes.Entry, int]]
) -> tuple[list[tuple[writes.Entry, int]], list[UnreadableItem]]:
    """Those that can be stored; and those that are no failures, or whose ids name another execution here or before."""
    traces = json.dumps([entry.trace_id for entry, _ in arrived])
    by_trace = {row[0]: row[1] for row in connection.exec_driver_sql(_TRACES, (traces,))}
    ids = json.dumps([entry.failure_id for entry, _ in arrived])
    taken = set(connection.exec_driver_sql(_KNOWN, (ids,)).scalars())
    fitting: list[tuple[writes.Entry, int]] = []
    misfits: list[UnreadableItem] = []
    for entry, ts in arrived:
        failure_id = entry.failure_id
        if failure_id is None:
            misfits.append(UnreadableItem(entry.trace_id, ts, _NO_FAILURE, entry.body))
        elif by_trace.get(entry.trace_id, None if failure_id in taken else failure_id) == failure_id:
            fitting.append((entry, ts))
            by_trace[entry.trace_id] = failure_id
            taken.add(failure_id)
        else:
            misfits.append(UnreadableItem(failure_id, ts, _TWIN, entry.body))
    return fitting, misfits


def _file_unreadable(connection: Connection, source: str, items: Sequence[UnreadableItem]) -> None:
    for item in items:
        told = {"ts": item.ts, "reason": spoken(item.reason), "body": item.body}
        row = insert(unreadable).values(source=source, item_id=spoken(item.id), **told)
        connection.execute(row.on_conflict_do_update(index_elements=["source", "item_id"], set_=told))


def _forget(connection: Connection, source: str, item_ids: Collection[str]) -> None:
    ids = [spoken(item_id) for item_id in item_ids]
    connection.execute(delete(unreadable).where(unreadable.c.source == source, unreadable.c.item_id.in_(ids)))

"""Records stored and readable a second, against the same bytes put into a bare SQLite table."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

from benchmarks.harness import Goal, Row, in_rate, interleave, times_floor
from benchmarks.places import scratch
from benchmarks.population import Population
from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.storage.memory import MemoryBackend
from failtrace.storage.trace_store import TraceStore

RECORDS = 2000
A_TRANSACTION = 100
GOAL = Goal(must=0.25, aim=0.5, unit=" ×", reading=times_floor, more_is_better=True)


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """Passed executions are most of what runs; failures cost most, for they can be searched."""
    return (
        _row("records stored and readable a second, 6 KB, one in ten a failure", rounds, failing=0.1),
        _row("records stored and readable a second, 6 KB, every one a failure", rounds, failing=1.0),
    )


def _row(what: str, rounds: int, failing: float) -> Row:
    records = Population(RECORDS * (rounds + 1), failing).records()
    batch: list[TraceRecord] = []
    with scratch() as folder, closing(_bare_table(folder)) as table, _store(folder) as store:

        def floor() -> float:
            batch[:] = islice(records, RECORDS)
            return _inserted(table, batch)

        pairs = interleave(rounds, floor, lambda: _stored(store, batch))
    return Row(
        what=what,
        floor=f"SQLite, WAL, synchronous=FULL, {A_TRANSACTION} a transaction",
        goal=GOAL,
        pairs=pairs,
        scale=in_rate,
    )


def _bare_table(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE record (id TEXT PRIMARY KEY, body BLOB NOT NULL)")
    return connection


def _store(folder: Path) -> TraceStore:
    return TraceStore(Mirror.open(folder / "mirror.sqlite"), MemoryBackend())


def _inserted(connection: sqlite3.Connection, records: list[TraceRecord]) -> float:
    rows = [(record.trace_id, encode_record(record)) for record in records]
    start = time.perf_counter()
    for first in range(0, RECORDS, A_TRANSACTION):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO record VALUES (?, ?)", rows[first : first + A_TRANSACTION])
        connection.execute("COMMIT")
    return RECORDS / (time.perf_counter() - start)


def _stored(store: TraceStore, records: list[TraceRecord]) -> float:
    """Encoding, checksums, full-text search and rollups included."""
    start = time.perf_counter()
    for first in range(0, RECORDS, A_TRANSACTION):
        store.store_traces(records[first : first + A_TRANSACTION])
    rate = RECORDS / (time.perf_counter() - start)
    if store.get_trace(records[-1].trace_id) != records[-1]:
        raise AssertionError("the last record that was stored cannot be read back")
    return rate

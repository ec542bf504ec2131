"""How a file comes to the shape of `tables`: ordered steps, each applied once, in a transaction of its own.

A step that was released is never edited; a new shape is a new step at the end of MIGRATIONS. The number of
steps applied is the file's `user_version`. The DDL is written out, for a step must not change when a table
class does.
"""

import math
import sqlite3
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from failtrace.errors import StoreError
from failtrace.mirror.engine import Database
from failtrace.mirror.problems import damaged

APPLICATION_ID = 0x6661696C
"""`fail` in ASCII: tells a mirror from any other SQLite file."""


def _first_shape(connection: Connection) -> None:
    for statement in _FIRST_SHAPE:
        connection.exec_driver_sql(statement)


_FIRST_SHAPE = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    """CREATE TABLE execution (
        id INTEGER NOT NULL PRIMARY KEY,
        trace_id TEXT NOT NULL,
        failure_id TEXT,
        run_id TEXT,
        subject TEXT NOT NULL,
        outcome TEXT NOT NULL,
        failure_type TEXT NOT NULL,
        message TEXT NOT NULL,
        fingerprint TEXT,
        ended_at INTEGER NOT NULL,
        duration_ms FLOAT NOT NULL,
        sha256 BLOB NOT NULL,
        stored_at INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX execution_trace_id ON execution (trace_id)",
    "CREATE UNIQUE INDEX execution_failure_id ON execution (failure_id) WHERE failure_id IS NOT NULL",
    "CREATE INDEX execution_by_type ON execution (failure_type, ended_at)",
    "CREATE INDEX execution_by_subject ON execution (subject, failure_type, ended_at)",
    "CREATE INDEX execution_by_run ON execution (run_id, failure_type, ended_at) WHERE run_id IS NOT NULL",
    "CREATE INDEX execution_by_fingerprint ON execution (fingerprint, ended_at) WHERE fingerprint IS NOT NULL",
    """CREATE TABLE body (
        execution_id INTEGER NOT NULL PRIMARY KEY,
        passed_subject TEXT,
        ended_at INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX body_passed ON body (passed_subject, ended_at) WHERE passed_subject IS NOT NULL",
    "CREATE TABLE kept (subject TEXT NOT NULL PRIMARY KEY, records INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE timeline (
        grain TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        failure_type TEXT NOT NULL,
        executions INTEGER NOT NULL,
        duration_ms FLOAT NOT NULL,
        duration_ms_max FLOAT NOT NULL,
        PRIMARY KEY (grain, bucket, failure_type)
    ) WITHOUT ROWID""",
    """CREATE TABLE rollup (
        grain TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        failure_type TEXT NOT NULL,
        subject TEXT NOT NULL,
        executions INTEGER NOT NULL,
        duration_ms FLOAT NOT NULL,
        duration_ms_max FLOAT NOT NULL,
        PRIMARY KEY (grain, bucket, failure_type, subject)
    ) WITHOUT ROWID""",
    """CREATE TABLE run (
        id INTEGER NOT NULL PRIMARY KEY,
        run_id TEXT NOT NULL,
        state TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        subjects TEXT NOT NULL,
        planned INTEGER,
        not_run INTEGER NOT NULL,
        bad_lines INTEGER NOT NULL,
        pid INTEGER NOT NULL,
        cancel_requested BOOLEAN NOT NULL
    )""",
    "CREATE UNIQUE INDEX run_run_id ON run (run_id)",
    "CREATE INDEX run_by_start ON run (started_at)",
    """CREATE TABLE tally (
        run_id TEXT NOT NULL,
        failure_type TEXT NOT NULL,
        executions INTEGER NOT NULL,
        PRIMARY KEY (run_id, failure_type)
    ) WITHOUT ROWID""",
    """CREATE TABLE state (
        id INTEGER NOT NULL PRIMARY KEY,
        writes INTEGER NOT NULL,
        last_write_at INTEGER NOT NULL
    )""",
    "INSERT INTO state VALUES (1, 0, 0)",
    # Contentless: the text can be found, and is kept once, in the record. No column sizes: nothing ranks.
    "CREATE VIRTUAL TABLE failure_text USING fts5(text, content='', columnsize=0)",
)


def _delivery(connection: Connection) -> None:
    for statement in _DELIVERY:
        connection.exec_driver_sql(statement)


_DELIVERY = (
    "ALTER TABLE state ADD COLUMN last_id INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE outbox (
        execution_id INTEGER NOT NULL PRIMARY KEY,
        state TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        status INTEGER,
        error TEXT
    )""",
    "CREATE INDEX outbox_due ON outbox (state, due_at)",
    """CREATE TABLE delivery (
        execution_id INTEGER NOT NULL PRIMARY KEY,
        delivered_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        request_charge FLOAT NOT NULL,
        activity_id TEXT NOT NULL,
        parts INTEGER NOT NULL
    )""",
    "CREATE INDEX delivery_by_time ON delivery (delivered_at)",
    """CREATE TABLE relay (
        id INTEGER NOT NULL PRIMARY KEY,
        holder TEXT,
        holder_pid INTEGER,
        holder_host TEXT,
        lease_until INTEGER NOT NULL,
        paused TEXT,
        last_error TEXT,
        last_error_at INTEGER,
        last_success_at INTEGER
    )""",
    "INSERT INTO relay (id, lease_until) VALUES (1, 0)",
    """CREATE TABLE inbox (
        source TEXT NOT NULL PRIMARY KEY,
        watermark INTEGER,
        synced_at INTEGER,
        error TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE unreadable (
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        ts INTEGER NOT NULL,
        reason TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (source, item_id)
    )""",
)


def _durations(connection: Connection) -> None:
    # Bins are a logarithm, which not every build of SQLite has.
    driver = connection.connection.driver_connection
    assert driver is not None  # a transaction is open
    driver.create_function("duration_bin", 1, _duration_bin, deterministic=True)
    for statement in _DURATIONS:
        connection.exec_driver_sql(statement)


def _duration_bin(duration_ms: float) -> int:
    return 1 + int((math.log2(duration_ms) - math.log2(0.001)) * 4) if duration_ms > 0.001 else 0


_DURATIONS = (
    "ALTER TABLE execution ADD COLUMN input_key BLOB",
    "CREATE INDEX execution_by_duration ON execution (failure_type, duration_ms) WHERE failure_id IS NOT NULL",
    """CREATE TABLE spread (
        grain TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        bin INTEGER NOT NULL,
        executions INTEGER NOT NULL,
        PRIMARY KEY (grain, bucket, bin)
    ) WITHOUT ROWID""",
    """CREATE TABLE subject_spread (
        grain TEXT NOT NULL,
        subject TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        bin INTEGER NOT NULL,
        executions INTEGER NOT NULL,
        PRIMARY KEY (grain, subject, bucket, bin)
    ) WITHOUT ROWID""",
    """INSERT INTO subject_spread
        SELECT 'hour', subject, ended_at - ended_at % 3600000000, duration_bin(duration_ms), count(*)
        FROM execution GROUP BY 2, 3, 4""",
    """INSERT INTO subject_spread
        SELECT 'day', subject, bucket - bucket % 86400000000, bin, sum(executions)
        FROM subject_spread WHERE grain = 'hour' GROUP BY 2, 3, 4""",
    """INSERT INTO subject_spread
        SELECT 'all', subject, 0, bin, sum(executions) FROM subject_spread WHERE grain = 'day' GROUP BY 2, 4""",
    "INSERT INTO spread SELECT grain, bucket, bin, sum(executions) FROM subject_spread GROUP BY 1, 2, 3",
)


def _audit(connection: Connection) -> None:
    connection.exec_driver_sql(_AUDIT)


# AUTOINCREMENT: no number is given twice, so a row that somebody took out leaves a gap.
_AUDIT = """CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    deed TEXT NOT NULL,
    detail TEXT NOT NULL
)"""

MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first_shape, _delivery, _durations, _audit)


def migrate(database: Database) -> None:
    """Bring a fresh or older file to the present shape; safe when several processes do it at once.

    Raises StoreError for another program's database and for a file of a newer failtrace, DamagedMirror for one whose
    tables are not those of its version.
    """
    applied = -1
    while applied < len(MIGRATIONS):
        with database.transaction("BEGIN IMMEDIATE") as connection:
            applied = _applied(connection, database)
            if applied < len(MIGRATIONS):
                _apply(MIGRATIONS[applied], connection, database)
                applied += 1
                connection.exec_driver_sql(f"PRAGMA user_version = {applied}")


def _apply(migration: Callable[[Connection], None], connection: Connection, database: Database) -> None:
    try:
        migration(connection)
    except DBAPIError as error:
        # Its tables are not those of its version: "table execution already exists".
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            raise damaged(database.path) from error
        raise


def schema_version(connection: Connection) -> int:
    """How many migrations the file has had."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _applied(connection: Connection, database: Database) -> int:
    version = schema_version(connection)
    foreign = connection.exec_driver_sql("PRAGMA application_id").scalar_one() != APPLICATION_ID
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if foreign and (version or tables):
        raise StoreError(
            f"{str(database.path)!r} is a SQLite database of another program; point FAILTRACE_HOME at another folder."
        )
    # A mirror gets its first version with the mark that it is one.
    if version < 0 or (not foreign and not version):
        raise damaged(database.path)
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The mirror {str(database.path)!r} has schema version {version} and this failtrace knows up to "
            f"{len(MIGRATIONS)}; upgrade failtrace, or point FAILTRACE_HOME at another folder."
        )
    return version

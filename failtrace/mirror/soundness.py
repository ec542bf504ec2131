"""What a row of the mirror has to be; damage may leave anything in it."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from sqlalchemy import Connection, select

from failtrace.contracts import FailureType
from failtrace.mirror.tables import PASSED, audit, body, execution, metadata, relay, run, state
from failtrace.mirror.times import EARLIEST, LATEST
from failtrace.mirror.views import RunState

_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_FAILURE_ID: Final = re.compile(r"[0-9a-f-]{36}")
_FAILED: Final = {kind.value for kind in FailureType}
_CHECKED: Final = (execution, run, audit, body)
_GREATEST: Final = 2**53
_OF_ONE_ROW: Final = (state, relay)
_BODIES: Final = select(body.c.passed_subject, body.c.body, execution.c.sha256).join_from(
    body, execution, body.c.execution_id == execution.c.id, isouter=True
)


def is_moment(value: object) -> bool:
    """Whether it is a time that a page can show."""
    return isinstance(value, int) and EARLIEST <= value <= LATEST


def is_summary(row: Mapping[Any, Any]) -> bool:
    """Whether a row of `execution` has what failtrace writes."""
    failure_id = row["failure_id"]
    named = isinstance(failure_id, str) and bool(_FAILURE_ID.fullmatch(failure_id))
    return (
        all(isinstance(row[name], str) for name in ("trace_id", "subject", "outcome", "failure_type", "message"))
        and all(isinstance(row[name], str | None) for name in ("run_id", "fingerprint"))
        and bool(_TRACE_ID.fullmatch(row["trace_id"]))
        and (row["failure_type"] in _FAILED if named else row["failure_type"] == PASSED and failure_id is None)
        and is_moment(row["ended_at"])
        and isinstance(row["duration_ms"], int | float)
        and isinstance(row["sha256"], bytes)
        and isinstance(row["input_key"], bytes | None)
    )


def is_run(row: Mapping[Any, Any]) -> bool:
    """Whether a row of `run` has what failtrace writes."""
    return (
        all(isinstance(row[name], str) for name in ("run_id", "subjects"))
        and row["state"] in get_args(RunState)
        and all(isinstance(row[name], int) for name in ("started_at", "not_run", "bad_lines", "pid"))
        and all(isinstance(row[name], int | None) for name in ("ended_at", "planned"))
    )


def is_number(value: object) -> bool:
    """Whether it may be the number of a deed: behind a greater one, which damage may make, SQLite has no next."""
    return isinstance(value, int) and 0 < value < _GREATEST


def is_deed(row: Mapping[Any, Any]) -> bool:
    """Whether a row of `audit` has what failtrace writes."""
    return (
        is_number(row["id"])
        and isinstance(row["at"], int)
        and all(isinstance(row[name], str) for name in ("who", "deed", "detail"))
    )


def has_sound_pages(connection: Connection) -> bool:
    """Whether SQLite can read every page, and each is where it belongs; what stands in the rows is not looked at."""
    return bool(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() == "ok")


def is_sound(connection: Connection) -> bool:
    """Whether every page and text can be read, every row is what failtrace writes, and every record has its sha256.

    Reads the whole file, one row in memory at a time. What SQLite itself or the decoding refuses is raised.
    """
    if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one() != "ok":
        return False
    for table, is_whole in ((execution, is_summary), (run, is_run), (audit, is_deed)):
        if not all(is_whole(row) for row in connection.execute(select(table)).mappings()):
            return False
    for table in metadata.tables.values():
        if table not in _CHECKED:
            rows = sum(1 for _ in connection.execute(select(table)))
            if table in _OF_ONE_ROW and rows != 1:
                return False
    return all(
        isinstance(content, bytes) and hashlib.sha256(content).digest() == sha256
        for _, content, sha256 in connection.execute(_BODIES)
    )

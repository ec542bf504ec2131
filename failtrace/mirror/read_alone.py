"""A mirror where SQLite has no place for the files that it needs beside it: to be read, and not to be written.

Its folder may not be written, or its disk is full. Each transaction opens it anew, for that may change.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

_NO_ROOM = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)
_PRIMARY = 0xFF


def needs_no_log(path: Path, error: BaseException | None) -> bool:
    """Whether SQLite failed for want of room, on a file that holds all that was ever written to it.

    With an empty log, or none, nobody is writing: SQLite can be told that the file stays as it is.
    """
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & _PRIMARY
    log = path.with_name(f"{path.name}-wal")
    return code in _NO_ROOM and not (log.exists() and log.stat().st_size)


def opener(path: Path, arguments: dict[str, Any]) -> Callable[[], sqlite3.Connection]:
    """What opens the file, as its folder is at that moment."""
    return lambda: _of_full_disk(path, arguments) if os.access(path.parent, os.W_OK) else _of_folder(path, arguments)


def _of_full_disk(path: Path, arguments: dict[str, Any]) -> sqlite3.Connection:
    # As ever first: when there is room again, it can be written again.
    connection: sqlite3.Connection = sqlite3.connect(path, **arguments)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        connection.close()
        if not needs_no_log(path, error):
            raise
        return _open(path, "ro&immutable=1", arguments)
    return connection


def _of_folder(path: Path, arguments: dict[str, Any]) -> sqlite3.Connection:
    # Without a WAL nobody has it open who could write it, and SQLite need not make one. Else: see what is written.
    return _open(path, "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1", arguments)


def _open(path: Path, mode: str, arguments: dict[str, Any]) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, **arguments)
    return connection

"""The connections of one mirror file: short transactions, one writer at a time, none carried over a fork."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from failtrace.errors import StoreError
from failtrace.mirror import fork_gate
from failtrace.mirror.problems import damaged, no_file, not_a_database, store_error, vanished
from failtrace.mirror.read_alone import needs_no_log, opener

WAIT_S = 10.0
"""How long a write waits for another process's write."""

_SMALLEST = 512
"""Bytes of the smallest page of SQLite, and so of the smallest file that is not empty."""

_ON_CONNECT = (
    "PRAGMA synchronous = FULL",  # a commit that was acknowledged survives a power cut
    "PRAGMA cache_size = -16000",  # KiB
    "PRAGMA wal_autocheckpoint = 4000",  # pages; an eighth faster under many writes than the default 1000
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",  # a WAL grown by one large import shrinks again
)

_inherited: list[Engine] = []
"""Engines of a parent process, never closed nor freed: closing a file of it here could act on its locks."""
_barred: set[Path] = set()
"""Files that a thread of the parent was at work on when this process was forked: their locks here are nobody's."""


@dataclass(frozen=True, slots=True)
class _Handle:
    """What belongs to one process."""

    pid: int
    engine: Engine
    writing: threading.Lock
    """Threads of one process queue here in turn; SQLite's own waiting polls, and is unfair."""


_databases: WeakSet[Database] = WeakSet()
"""Those that this process has open, or may."""
_files = threading.RLock()


@contextmanager
def looking_at_files() -> Iterator[None]:
    """Held by whoever opens a database's files otherwise than by SQLite; none of this process is opened meanwhile.

    Who closes such a file gives up all locks that its process has on it (POSIX), those of SQLite's connections too.
    """
    with fork_gate.at_work(), _files:
        yield


def is_open_here(path: Path) -> bool:
    """Whether this process has the database open. For whoever is `looking_at_files`."""
    return any(one.path == path.absolute() for one in tuple(_databases))


def _close_all() -> None:
    """So that a child inherits no connection."""
    for one in tuple(_databases):
        one.disconnect()


def _begin_anew() -> None:
    """In a child: a thread of the parent may hold the lock for ever."""
    global _files
    _files = threading.RLock()
    if not fork_gate.was_calm():
        _barred.update(one.path for one in tuple(_databases))


fork_gate.before_fork(_close_all)
os.register_at_fork(after_in_child=_begin_anew)


class Database:
    """One SQLite file in WAL mode. Thread-safe; after a fork the child connects anew."""

    def __init__(self, path: Path) -> None:
        # Absolute, for a host may change its directory, and connections are made when they are needed.
        self.path = path.absolute()
        self._closed = False
        self._handle = _connect(self.path)
        self._identity: tuple[int, int] | None = None
        with looking_at_files():
            _databases.add(self)

    def prepare(self) -> None:
        """Make the folder and turn on WAL, which the file then keeps. Raises StoreError.

        A file that is no database is left as it is (SQLite itself would overwrite a very short one). On a full disk the
        mirror is opened to be read.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {str(self.path.parent)!r} of the mirror cannot be made ({error.strerror}); "
                "point FAILTRACE_HOME at a folder that can be written."
            ) from error
        self._refuse_other_files()
        try:
            self._use_wal()
        except StoreError as error:
            if not needs_no_log(self.path, error.__cause__):
                raise
            self._handle = _connect(self.path, to_read=True)

    def pin(self) -> None:
        """From now on, notice when the file is removed or replaced under the open connections."""
        self._identity = self._identify()

    @contextmanager
    def transaction(self, begin: str = "BEGIN") -> Iterator[Connection]:
        """A transaction, committed at the end of the block. Raises StoreError for all that SQLite may say."""
        handle = self._current()
        writing = handle.writing if begin == "BEGIN IMMEDIATE" else nullcontext()
        try:
            with writing, fork_gate.at_work(), handle.engine.connect() as connection:
                connection.exec_driver_sql(begin)
                # The driver leaves transactions to us (isolation_level None): commit and rollback reach it
                # through SQLAlchemy's, which follow SQLite's own state.
                yield connection
                connection.commit()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise store_error(error, self.path, WAIT_S) from error

    def size_bytes(self) -> int:
        """Bytes on the disk, the write-ahead log included."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close all connections. Idempotent."""
        self._closed = True
        with looking_at_files():
            self.disconnect()
            _databases.discard(self)

    def disconnect(self) -> None:
        """Close the connections of this process; the next transaction connects anew."""
        if self._handle.pid == os.getpid():
            self._handle.engine.dispose()

    def _current(self) -> _Handle:
        if self._closed:
            raise StoreError(f"The mirror {str(self.path)!r} was closed; open it again.")
        self._refuse_after_fork()
        if self._handle.pid != os.getpid():
            _inherited.append(self._handle.engine)
            self._handle = _connect(self.path)
        if self._identity is not None and self._identity != self._identify():
            raise vanished(self.path)
        return self._handle

    def _refuse_after_fork(self) -> None:
        if self.path in _barred:
            raise StoreError(
                f"The mirror {str(self.path)!r} was at work when this process was forked, so it cannot be used here; "
                "fork when nothing is being stored, or start the process by spawn."
            )

    def _identify(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError as error:
            raise vanished(self.path) from error
        return status.st_dev, status.st_ino

    def _refuse_other_files(self) -> None:
        # By its status alone: to open and close the file here would drop this process's locks on it (POSIX).
        kind, size = _kind_and_size(self.path)
        if kind is not None:
            raise no_file(self.path, kind)
        if 0 < size < _SMALLEST:
            raise not_a_database(self.path)
        # SQLite would remove it, with all that it holds.
        if not size and _kind_and_size(self.path.with_name(f"{self.path.name}-wal"))[1]:
            raise damaged(self.path)

    def _use_wal(self) -> None:
        """Two processes that turn it on at once collide without SQLite waiting, so that is done here."""
        self._refuse_after_fork()
        give_up = time.monotonic() + WAIT_S
        while True:
            try:
                with fork_gate.at_work(), self._handle.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
            except (SQLAlchemyError, sqlite3.Error) as error:
                code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
                if code != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise store_error(error, self.path, WAIT_S) from error
                time.sleep(0.01)


def _kind_and_size(path: Path) -> tuple[str | None, int]:
    """What stands there where it is no file, and its bytes; nothing is a file of none."""
    try:
        status = path.stat()
    except OSError:  # nothing there yet, or SQLite will say what is wrong
        return "a link to nothing" if path.is_symlink() else None, 0
    if stat.S_ISDIR(status.st_mode):
        return "a folder", 0
    return None if stat.S_ISREG(status.st_mode) else "a pipe or a device", status.st_size


def _engine(path: Path, *, to_read: bool) -> Engine:
    """Of a file to write, or to read alone where its folder takes none of the files that SQLite needs beside it."""
    arguments: dict[str, Any] = {"timeout": WAIT_S, "check_same_thread": False, "isolation_level": None}
    if not to_read and (not path.exists() or os.access(path.parent, os.W_OK)):
        return create_engine(
            URL.create("sqlite", database=str(path)),
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=56,
            pool_timeout=WAIT_S,
            pool_use_lifo=True,
            connect_args=arguments,
        )

    # A connection for each transaction, for a writer of another account may come and go.
    return create_engine("sqlite://", poolclass=NullPool, creator=opener(path, arguments))


def _connect(path: Path, *, to_read: bool = False) -> _Handle:
    engine = _engine(path, to_read=to_read)
    event.listen(engine, "connect", _set_up)
    return _Handle(os.getpid(), engine, threading.Lock())


def _set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    for pragma in _ON_CONNECT:
        connection.execute(pragma)

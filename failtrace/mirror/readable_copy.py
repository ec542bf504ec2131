"""A copy of a damaged mirror that SQLite reads: with a fresh mirror's header or list of tables, where those are lost.

Every mirror has the same header but for its number of pages, and the same tables on the same pages: the same
migrations made them.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from failtrace.mirror.wal import replay

_HEADER: Final = 100
"""Bytes of a SQLite file's header; what follows on its first page is the list of tables."""


def beside(path: Path, suffix: str) -> Path:
    """The file of SQLite's that belongs to another one."""
    return path.with_name(path.name + suffix)


def unlink_all(path: Path) -> None:
    """Take away a SQLite file with what belongs to it, as far as it is there."""
    for file in (path, beside(path, "-wal"), beside(path, "-shm")):
        with suppress(OSError):
            file.unlink()


@contextmanager
def readable_copy(path: Path, fresh: Path) -> Iterator[Path | None]:
    """A copy to read, with its WAL; None where nothing makes its tables readable. Raises OSError."""
    copy = beside(path, ".rescue")
    try:
        yield copy if any(_reads(copy) for _ in _attempts(path, copy, fresh)) else None
    finally:
        unlink_all(copy)


@contextmanager
def replayed_copy(path: Path) -> Iterator[Path]:
    """A copy without a WAL, into which the WAL was brought as far as its frames can be told. Raises OSError."""
    copy = beside(path, ".rescue")
    try:
        unlink_all(copy)
        shutil.copyfile(path, copy)
        if (log := beside(path, "-wal")).exists():
            replay(log, copy)
        yield copy
    finally:
        unlink_all(copy)


def _attempts(path: Path, copy: Path, fresh: Path) -> Iterator[None]:
    """The copy as it is, then mended more and more; each time anew, for who opens a file may drop its WAL."""
    # SQLite takes a WAL beside an empty file for somebody else's, and removes it.
    if path.stat().st_size:
        _copy(path, copy)
        yield
        _copy(path, copy)
        _give_header(copy, fresh)
        yield
    _copy(path, copy)
    _give_tables(copy, fresh)
    yield


def _copy(path: Path, copy: Path) -> None:
    unlink_all(copy)
    shutil.copyfile(path, copy)
    if (wal := beside(path, "-wal")).exists():
        shutil.copyfile(wal, beside(copy, "-wal"))


def _reads(copy: Path) -> bool:
    try:
        with closing(sqlite3.connect(copy, timeout=1)) as connection:
            connection.execute("SELECT id, sha256 FROM execution LIMIT 0")
            connection.execute("SELECT execution_id, body FROM body LIMIT 0")
    except sqlite3.Error:
        return False
    return True


def _give_header(copy: Path, fresh: Path) -> None:
    """The header of a fresh mirror, whose pages have the same size, with the copy's own number of pages."""
    head = bytearray(fresh.read_bytes()[:_HEADER])
    page = int.from_bytes(head[16:18], "big")
    if copy.stat().st_size < page:
        return
    head[28:32] = (copy.stat().st_size // page).to_bytes(4, "big")
    head[32:40] = bytes(8)  # no free pages
    head[92:96] = head[24:28]  # the number of pages is that of this change
    with copy.open("r+b") as file:
        file.write(head)


def _give_tables(copy: Path, fresh: Path) -> None:
    """The pages of a fresh mirror that no table or index begins on: its list of tables. Its header with them."""
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        roots = {root for (root,) in connection.execute("SELECT rootpage FROM sqlite_master")}
    content = fresh.read_bytes()
    page = int.from_bytes(content[16:18], "big")
    with copy.open("r+b") as file:
        for number in range(1, len(content) // page + 1):
            if number not in roots:
                file.seek((number - 1) * page)
                file.write(content[(number - 1) * page : number * page])
    _give_header(copy, fresh)

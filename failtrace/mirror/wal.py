"""A write-ahead log of which something is gone: SQLite reads it up to its first bad frame and says nothing.

Its index (the `-shm` file) outlives a process that was killed, and tells how many frames had been committed. SQLite
makes it anew at the next start, so it has to be asked before. The formats are those of https://sqlite.org/walformat.html.
"""

import fcntl
import shutil
import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from failtrace.mirror.engine import is_open_here, looking_at_files

_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_PAGE_SIZES: Final = frozenset(2**power for power in range(9, 17))
_VERSION: Final = 3007000
_MAGIC: Final = (0x377F0682, 0x377F0683)
_INDEX_HEADER: Final = struct.Struct("=3I2BH2I2I8s2I")
_BACKFILLED_AT: Final = 2 * _INDEX_HEADER.size
_INDEX_BYTES: Final = _BACKFILLED_AT + 4
_IN_USE_AT: Final = 128
"""The byte of the index that every connection holds a lock on."""


class _Index(NamedTuple):
    committed: int
    """Frames of the log that are committed."""
    backfilled: int
    """Frames of them that are in the database too."""
    page_size: int


def is_cut_short(path: Path) -> bool:
    """Whether the log of this database holds less than was committed to it, and is not in the database itself.

    False where nobody can tell: while any process has it open, and where its index is gone.
    """
    with looking_at_files(), suppress(OSError, sqlite3.Error):
        index = None if is_open_here(path) else _index_of_the_dead(path.with_name(f"{path.name}-shm"))
        if index is not None and index.committed > index.backfilled:
            return _readable_frames(path, index.page_size) < index.committed
    return False


def replay(log: Path, database: Path) -> None:
    """Bring the frames that can be told into a database, those behind a damaged one too, up to the last commit.

    Pages may then not fit each other: it is for who reads row by row, and checks each. Raises OSError.
    """
    with database.open("r+b") as file:
        page_size = int.from_bytes(file.read(18)[16:], "big")
        frames = list(_frames(log.read_bytes(), page_size if page_size > 1 else 65536))
        committed = max((number for number, frame in enumerate(frames, 1) if frame.pages), default=0)
        for frame in frames[:committed]:
            file.seek((frame.page - 1) * len(frame.content))
            file.write(frame.content)
        if committed:
            last = frames[committed - 1]
            file.truncate(last.pages * len(last.content))


class _Frame(NamedTuple):
    page: int
    """Its number in the database."""
    pages: int
    """Of a frame that commits: how many the database then has; else 0."""
    content: bytes


def _frames(log: bytes, page_size: int) -> Iterator[_Frame]:
    """Those of the log's last beginning: all have the salt of its header, and so of the first one."""
    size = _FRAME_HEADER + page_size
    if len(log) < _LOG_HEADER + size or page_size not in _PAGE_SIZES:
        return
    magic, _, _, _, salt = struct.unpack_from(">4I8s", log)
    if magic not in _MAGIC:
        salt = log[_LOG_HEADER + 8 : _LOG_HEADER + 16]
    for at in range(_LOG_HEADER, len(log) - size + 1, size):
        page, pages, of = struct.unpack_from(">2I8s", log, at)
        if of == salt and page:
            yield _Frame(page, pages, log[at + _FRAME_HEADER : at + size])


def _index_of_the_dead(path: Path) -> _Index | None:
    """What the index tells, if it can be believed and nobody has it open."""
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _IN_USE_AT)
            return _index(file.read(_INDEX_BYTES))
    except OSError:
        return None


def _index(raw: bytes) -> _Index | None:
    header = raw[: _INDEX_HEADER.size]
    if len(raw) < _INDEX_BYTES or header != raw[_INDEX_HEADER.size : _BACKFILLED_AT]:
        return None
    version, _, _, is_whole, _, page_size, committed, _, _, _, _, *checksum = _INDEX_HEADER.unpack(header)
    if version != _VERSION or not is_whole or list(_checksum(header[:-8])) != checksum:
        return None
    return _Index(committed, int.from_bytes(raw[_BACKFILLED_AT:], sys.byteorder), page_size if page_size > 1 else 65536)


def _checksum(words: bytes) -> tuple[int, int]:
    one = two = 0
    for first, second in struct.iter_unpack("=2I", words):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def _readable_frames(path: Path, page_size: int) -> int:
    """How many frames SQLite takes of the log: told by a copy of the database's first page with the whole log."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        with path.open("rb") as file:
            copy.write_bytes(file.read(page_size))
        log = path.with_name(f"{path.name}-wal")
        if not log.exists():
            return 0
        shutil.copyfile(log, copy.with_name("copy-wal"))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
            index = _index(copy.with_name("copy-shm").read_bytes()[:_INDEX_BYTES])
            return index.committed if index else 0

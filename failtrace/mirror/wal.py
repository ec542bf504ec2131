"""A write-ahead log of which something is gone: SQLite reads it up to its first bad frame and says nothing.

Its index (the `-shm` file) outlives a process that was killed, and tells how many frames had been committed. SQLite
makes it anew at the next start, so it has to be asked before. The formats are those of https://sqlite.org/walformat.html.
"""

import fcntl
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from failtrace.mirror.engine import is_open_here, looking_at_files

_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_PAGE_SIZES: Final = frozenset(2**power for power in range(9, 17))
_VERSION: Final = 3007000
_MAGIC: Final = (0x377F0682, 0x377F0683)
_INDEX_HEADER: Final = struct.Struct("=3I2BH2I2I8s2I")
_OWN_WORDS: Final = struct.Struct("=2I")
_BACKFILLED_AT: Final = 2 * _INDEX_HEADER.size
_INDEX_BYTES: Final = _BACKFILLED_AT + 4
_IN_USE_AT: Final = 128
"""The byte of the index that every connection holds a lock on."""


class _Index(NamedTuple):
    committed: int
    """Frames of the log that are committed."""
    backfilled: int
    """Frames of them that are in the database too."""


def is_cut_short(path: Path) -> bool:
    """Whether the log of this database holds less than was committed to it, and is not in the database itself.

    False where nobody can tell: while any process has it open, and where its index is gone. Of a log that the system
    does not let be read, SQLite says so itself.
    """
    index_file = path.with_name(f"{path.name}-shm")
    with looking_at_files(), suppress(OSError):
        index = None if is_open_here(path) else _index_of_the_dead(index_file)
        if index is not None and index.committed > index.backfilled:
            is_short = _readable_frames(path.with_name(f"{path.name}-wal")) < index.committed
            # Who opened it in the meantime may have begun the log anew.
            return is_short and _index_of_the_dead(index_file) == index
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
    version, _, _, is_whole, _, _, committed, _, _, _, _, *checksum = _INDEX_HEADER.unpack(header)
    if version != _VERSION or not is_whole or [*_checksum(header[:-8], _OWN_WORDS)] != checksum:
        return None
    return _Index(committed, int.from_bytes(raw[_BACKFILLED_AT:], sys.byteorder))


def _checksum(content: bytes, words: struct.Struct, before: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    one, two = before
    for first, second in words.iter_unpack(content):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def _readable_frames(path: Path) -> int:
    """How many frames SQLite takes of the log: up to the last commit before a frame that does not follow.

    Counted here, in 0.2 s for each thousand: SQLite would have to be given a copy, since it changes what it reads, and
    a full disk has no room for one.
    """
    committed = 0
    with suppress(FileNotFoundError), path.open("rb") as file:
        start = _start(file.read(_LOG_HEADER))
        if start is None:
            return 0
        page_size, salt, words, checksum = start
        for number in count(1):
            frame = file.read(_FRAME_HEADER + page_size)
            if len(frame) < _FRAME_HEADER + page_size:
                break
            page, pages, of, *told = struct.unpack_from(">2I8s2I", frame)
            checksum = _checksum(frame[_FRAME_HEADER:], words, _checksum(frame[:8], words, checksum))
            if not page or of != salt or [*checksum] != told:
                break
            if pages:
                committed = number
    return committed


class _Start(NamedTuple):
    """What a log's header says of its frames."""

    page_size: int
    salt: bytes
    words: struct.Struct
    """In the byte order of the machine that made the log."""
    checksum: tuple[int, int]


def _start(header: bytes) -> _Start | None:
    """None where SQLite would take no frame of the log."""
    if len(header) < _LOG_HEADER:
        return None
    magic, _, page_size, _, salt, *told = struct.unpack(">4I8s2I", header)
    words = struct.Struct(">2I" if magic & 1 else "<2I")
    checksum = _checksum(header[:24], words)
    if magic not in _MAGIC or page_size not in _PAGE_SIZES or [*checksum] != told:
        return None
    return _Start(page_size, salt, words, checksum)

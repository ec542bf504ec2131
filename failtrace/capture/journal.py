"""The journal: one append-only file of JSON lines for each execution, the truth until its record is stored.

A line is written by one `write` to a descriptor opened with O_APPEND, so lines of several threads and processes never
mix, and what was written survives the death of subject and host (not a power loss). A line's `k` says what it is:

    open     who, what and on which input (the host, before anything runs)
    begin    the subject starts now
    start    a step started            end      a step ended
    log      a record of logging       dropped  a limit was reached
    deadline the deadline passed, with the stacks
    outcome  what the subject gave, contract and evidence checked
    unloadable / broken  the subject could not be loaded / failtrace itself went wrong
    exit     how the process ended, with the tails of its output (the supervisor)

Whoever works on a segment holds a shared description of one `flock`; a segment that nobody holds belongs to nobody
that lives, and `recover` may take it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic_core import to_json

from failtrace.errors import ExecutionError

SUFFIX = ".jsonl"
READ_CHUNK = 1 << 20


class Journal(Protocol):
    """Where lines go."""

    lost_lines: int

    def write(self, line: dict[str, Any]) -> bool:
        """Take one line of sanitised JSON; False, and counted, where that cannot be."""
        ...


class JournalWriter:
    """Appends lines to a segment's descriptor. A line that cannot be written is counted, never raised."""

    __slots__ = ("_fd", "_lock", "lost_lines")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self.lost_lines = 0

    def close(self) -> None:
        """Write no more: the descriptor's number may soon be another file's."""
        with self._lock:
            self._fd = -1

    def write(self, line: dict[str, Any]) -> bool:
        """Append one line of sanitised JSON; False where the disk would not take it."""
        data = to_json(line) + b"\n"
        try:
            with self._lock:
                written = os.write(self._fd, data)
                while written < len(data):
                    written += os.write(self._fd, data[written:])
        except OSError:
            self.lost_lines += 1
            return False
        return True


@dataclass(slots=True, weakref_slot=True, eq=False)
class Segment:
    """One execution's journal file, held by this process until it is discarded or left."""

    path: Path
    fd: int
    _writer: JournalWriter | None = None

    def __post_init__(self) -> None:
        _held.add(self)

    @classmethod
    def create(cls, folder: Path, trace_id: str) -> Segment:
        """A new segment, locked. Raises ExecutionError where the folder cannot be written."""
        path = folder / f"{trace_id}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fd = create_locked(path, os.O_APPEND)
        except OSError as error:
            raise ExecutionError(
                f"Cannot write the journal {str(path)!r} ({error.strerror}); "
                "make the folder writable, or set FAILTRACE_HOME to one that is."
            ) from error
        return cls(path, fd)

    @classmethod
    def claim(cls, path: Path) -> Segment | None:
        """The segment at `path` if nobody alive holds it and it is still there; else None."""
        try:
            fd = _open_regular(path, os.O_RDWR | os.O_APPEND)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            still_there = os.fstat(fd).st_nlink > 0
        except OSError:
            still_there = False
        if not still_there:
            os.close(fd)
            return None
        return cls(path, fd)

    def writer(self) -> JournalWriter:
        """The writer of this segment; it writes no more once the segment is left."""
        if self._writer is None:
            self._writer = JournalWriter(self.fd)
        return self._writer

    def read(self) -> JournalLines:
        """What was written so far; by the descriptor, for a subject may have removed the file."""
        data = bytearray()
        while chunk := os.pread(self.fd, READ_CHUNK, len(data)):
            data += chunk
        return parse_journal(data)

    def discard(self) -> None:
        """Remove the file: its record is stored, or was handed over."""
        self.path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Let go of the segment without removing it."""
        if self._writer is not None:
            self._writer.close()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _open_regular(path: Path, flags: int) -> int:
    """A descriptor of a regular file. Raises OSError for all else: a pipe would keep its reader waiting."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file")
    return fd


def create_locked(path: Path, flags: int = 0) -> int:
    """A new file, locked. A recoverer that was quicker than the lock has taken the empty file away: once more then."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | flags, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink > 0:
            return fd
        os.close(fd)


_held: weakref.WeakSet[Segment] = weakref.WeakSet()


def _let_go() -> None:
    """In a forked child: its copy of the descriptors would keep the segments locked when this process is gone."""
    for segment in list(_held):
        segment.leave()


os.register_at_fork(after_in_child=_let_go)


@dataclass(frozen=True, slots=True)
class JournalLines:
    """What a segment holds: its whole lines, and how many were torn."""

    lines: tuple[dict[str, Any], ...]
    torn: int

    def first(self, kind: str) -> dict[str, Any] | None:
        """The first line of that kind."""
        return next((line for line in self.lines if line["k"] == kind), None)

    def last(self, kind: str) -> dict[str, Any] | None:
        """The last line of that kind."""
        return next((line for line in reversed(self.lines) if line["k"] == kind), None)


def parse_journal(data: bytes | bytearray) -> JournalLines:
    """Every whole line of a segment's bytes."""
    lines: list[dict[str, Any]] = []
    torn = 0
    for raw in data.split(b"\n"):
        if not raw:
            continue
        try:
            line = json.loads(raw)
            line["k"]
        except (ValueError, TypeError, KeyError, RecursionError):
            torn += 1
        else:
            lines.append(line)
    return JournalLines(tuple(lines), torn)


def segments(folder: Path, suffix: str = SUFFIX) -> Iterator[Path]:
    """The segments of a folder, oldest name first; nothing where there is no folder. Only regular files are any."""
    if folder.is_dir():
        yield from (path for path in sorted(folder.glob(f"*{suffix}")) if path.is_file() and not path.is_symlink())

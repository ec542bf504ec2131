"""The watch journal: what the watched calls of this process tell, in memory and in segments that survive its death.

What it costs is bounded, in bytes of memory and in segments on the disk. What goes beyond is counted, and a disk that
refused a line is left alone for a while: calls are then kept in memory alone.
"""

from __future__ import annotations

import itertools
import os
import platform
import threading
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from failtrace.capture.journal import JournalLines, parse_journal, segments
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_segment import LIVE, MAX_SEGMENT, SUFFIX, WatchSegment
from failtrace.capture.watch_story import story
from failtrace.settings import Settings
from failtrace.version import package_version

MAX_SEGMENTS = 16
"""Segments that a process may have at once, with those that it left; while there are as many, calls begin in memory
alone."""
MAX_OF_ALL = 256
"""Segments that all processes may have: 1 GiB."""
MAX_IN_MEMORY = 16 << 20
"""Bytes of lines that a call may keep."""
MAX_MEMORY = 64 << 20
"""Bytes of lines that all calls of a process may keep."""
PIECE = 4096
"""Bytes that a call takes of it at once, when its first line has another after it."""
SMALL_LINE = 1024
"""Bytes of a first line that is not counted: its call is worth more by itself, and the count is kept under a lock."""
RETRY_S = 5.0
"""How long a disk that refused is left alone."""


class CallJournal:
    """The lines of one call."""

    __slots__ = ("_charged", "_data", "_journal", "_prefix", "_segment", "has_ended", "lost_lines", "number")

    def __init__(
        self, journal: WatchJournal, number: int, first: bytes, segment: WatchSegment | None, charged: int
    ) -> None:
        self.number = number
        self.lost_lines = 0
        self._prefix = b""
        self._journal = journal
        self._segment = segment
        self._charged = charged
        self.has_ended = False
        """Whether somebody has taken it, to store it."""
        self._data = bytearray(first)

    def write(self, line: dict[str, Any]) -> bool:
        """Keep one line of sanitised JSON; False, and counted, where there is no room for it in memory."""
        return self._take(self._begin_of_line() + to_json(line)[1:])

    def write_input(self, fields: bytes) -> None:
        """Keep the input once more: `input` and `marks`, as JSON."""
        self._take(b'%b"k":"input",%b}' % (self._begin_of_line(), fields))

    def lines(self) -> JournalLines:
        """What was kept, as the lines of an execution."""
        return self._journal.story(parse_journal(bytes(self._data)))

    def ended(self) -> None:
        """The call is over and is to be stored."""
        self.has_ended = True
        if self._segment is not None and not self._segment.is_open:
            # It began before the fork that this process came from, or its file is lost.
            self._segment = self._journal.take_over(self.number, bytes(self._data))
        if self._segment is not None:
            self._segment.ended(self.number)

    def discard(self) -> None:
        """Nobody needs the call any more: it passed, was stored, or had to be dropped."""
        if self._segment is not None:
            self._segment.gone(self.number)
        self._let_go()

    def leave(self) -> bool:
        """Leave the call to whoever recovers next; False where the disk does not hold it."""
        left = self._segment is not None and self._segment.leave(self.number)
        if left:
            self._let_go()
        return left

    def _begin_of_line(self) -> bytes:
        # Most calls have no second line.
        self._prefix = self._prefix or b'\n{"c":%d,' % self.number
        return self._prefix

    def _take(self, data: bytes) -> bool:
        if len(self._data) + len(data) > self._charged and not self._make_room(len(data)):
            self.lost_lines += 1
            return False
        if self._segment is not None:
            self._segment.append(self.number, data)
        self._data += data
        return True

    def _make_room(self, size: int) -> bool:
        """Take memory for a line, in whole pieces, since the count is kept under a lock."""
        wanted = max(PIECE, size)
        if self._charged + wanted > MAX_IN_MEMORY or not self._journal.charge(self.number, wanted):
            return False
        self._charged += wanted
        return True

    def _let_go(self) -> None:
        if self.number in self._journal._charges:
            self._journal.release(self.number)
        self._charged = 0
        self._data = bytearray()


class WatchJournal:
    """The segments of this process, the newest of which takes the calls that begin."""

    _current: WatchSegment | None
    _charges: dict[int, int]
    """Bytes of memory that each call has taken, by its number."""
    _spent: int
    """Their sum, or more."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._segments: list[WatchSegment] = []
        self._begin_anew()

    def begin(self, told: bytes) -> CallJournal | None:
        """The journal of a call that begins; `told` is its first line's fields. None where there is no room for it."""
        number = next(self._numbers)
        large = len(told) if len(told) > SMALL_LINE else 0
        first = LIVE % (number, told)
        try:
            if large and not self.charge(number, large):
                self.count_dropped()
                return None
            segment = self._place(number, first)
            if segment is None:
                self.in_memory_alone += 1
            return CallJournal(self, number, first, segment, large)
        except BaseException:
            # The host's own, thrown in from outside: nobody would ever end the call.
            self.release(number)
            for open_segment in tuple(self._segments):
                open_segment.gone(number)
            raise

    def _place(self, number: int, first: bytes) -> WatchSegment | None:
        """The segment in which the call begins; None where it is in memory alone."""
        segment = self._current
        if segment is None or segment.refused or segment.size >= MAX_SEGMENT:
            segment = self._next(segment)
        if segment is None or segment.begin(number, first):
            return segment
        # Full, refused or lost by now; another thread may have begun the next one.
        segment = self._next(segment)
        return segment if segment is not None and segment.begin(number, first) else None

    def take_over(self, number: int, told: bytes) -> WatchSegment | None:
        """The segment for the lines of a call that began in one which is not held here; None as in `_place`."""
        segment = self._place(number, told)
        if segment is None:
            self.in_memory_alone += 1
        return segment

    def story(self, kept: JournalLines) -> JournalLines:
        """The lines of a call of this process, as those of an execution."""
        told = story({**self._host, "dropped": self.dropped}, kept.lines)
        return JournalLines(told.lines, kept.torn)

    def count_dropped(self) -> None:
        """One more call could not be kept."""
        with self._lock:
            self.dropped += 1
        for segment in tuple(self._segments):
            if segment.is_open:
                segment.count("dropped")

    def charge(self, number: int, size: int) -> bool:
        """Take bytes for a call from the memory for all; False where there are none left."""
        with self._lock:
            if self._spent + size > MAX_MEMORY:
                # Whatever a signal's handler broke off may not have been counted to its end.
                self._spent = sum(self._charges.values())
            if self._spent + size > MAX_MEMORY:
                return False
            self._spent += size
            self._charges[number] = self._charges.get(number, 0) + size
        return True

    def release(self, number: int) -> None:
        """Give back what a call has taken; once more, nothing."""
        with self._lock:
            self._spent -= self._charges.pop(number, 0)

    def retire(self) -> None:
        """Calls begin in a new segment from now on, which the settings of that moment place."""
        with self._lock:
            segment, self._current = self._current, None
            self._rest_until = 0.0
        if segment is not None:
            segment.retire()

    def end(self, hanging: Collection[int] = ()) -> None:
        """The process ends well: only calls that are still to be stored stay on the disk, and those that hang."""
        self.retire()
        for segment in self._segments:
            segment.end(hanging)

    def disown(self) -> None:
        """In a forked child: begin anew; the parent's calls keep their numbers to themselves."""
        for segment in self._segments:
            segment.disown()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()
        self._segments = []
        self._current = None
        self._rest_until = 0.0
        self._charges = {}
        self._spent = 0
        self._salt = os.urandom(16).hex()
        self.dropped = 0
        """Calls that were to be recorded and are not."""
        self.in_memory_alone = 0
        """Calls that no segment held."""

    @property
    def _host(self) -> dict[str, Any]:
        return {"salt": self._salt, "environment": {**_environment(), "pid": os.getpid()}}

    def _next(self, full: WatchSegment | None) -> WatchSegment | None:
        """The segment after one that takes no calls; None while there can be none."""
        with self._lock:
            if self._current is not full and self._current is not None:
                return self._current
            now = time.monotonic()
            if now < self._rest_until:
                return None
            self._current = None
            if full is not None:
                full.retire()
            self._segments = [segment for segment in self._segments if segment.is_kept]
            if not (full is not None and full.is_open and full.refused) and self._has_room():
                with FAULTS:
                    self._current = self._create()
                    self._segments.append(self._current)
            if self._current is None:
                self._rest_until = now + RETRY_S
            return self._current

    def _has_room(self) -> bool:
        """Whether one more segment may be made. What dead processes left counts too: a supervisor may start many."""
        if len(self._segments) >= MAX_SEGMENTS:
            return False
        with FAULTS:
            return sum(1 for _ in segments(Settings.load().journal_path, SUFFIX)) < MAX_OF_ALL
        return False

    def _create(self) -> WatchSegment:
        folder = Settings.load().journal_path
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{time.time_ns():x}-{os.getpid()}{SUFFIX}"
        return WatchSegment(path, self._host, self.dropped)


@cache
def _environment() -> dict[str, Any]:
    """As `failtrace.execution.header` tells it, but asking no other program: a host may wait for its own children."""
    system = os.uname()
    return {
        "python": platform.python_version(),
        "platform": f"{system.sysname}-{system.release}-{system.machine}",
        "failtrace": package_version(),
        "git_commit": _commit(),
        "git_dirty": None,
        "isolation": "inline",
    }


def _commit() -> str | None:
    """What HEAD of the repository around us says, read from its files; None where they do not say it.

    A program's own folder may be gone, as that of a daemon whose release was replaced.
    """
    try:
        here = Path.cwd()
        found = next((place / ".git" for place in (here, *here.parents) if (place / ".git" / "HEAD").is_file()), None)
        if found is None:
            return None
        head = (found / "HEAD").read_text("ascii").strip()
        return (found / head.removeprefix("ref: ")).read_text("ascii").strip() if head.startswith("ref: ") else head
    except (OSError, UnicodeDecodeError):
        return None


JOURNAL = WatchJournal()
"""The process's one."""
os.register_at_fork(after_in_child=JOURNAL.disown)

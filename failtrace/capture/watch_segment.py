"""A segment of the watch journal: a file in which all calls of a process that are under way have their lines.

A file for each call would cost more than most calls do, so each line says whose it is by `c`, the number of the call:

    host     the first line: the process, with two counts that are written over in place
    live     a call began, with its input; overwritten by `gone` as soon as nobody needs the call any more
    input    the input once more, read in full at the end of a call that is to be recorded
    and a capture's own: start, end, outcome (see `failtrace.capture.journal`)

A line begins with its newline and is written by one `pwrite` to a place of its own: one that is torn, or did not fit on
the disk, costs itself alone, and neither `gone` nor a count ever needs more room. Whoever finds a segment that no
process holds makes a record of each call in it that is still `live` (see `failtrace.capture.watch_story`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from failtrace.capture.interrupts import came_from_outside
from failtrace.capture.journal import create_locked
from failtrace.capture.watch_faults import FAULTS

SUFFIX = ".watch"
MAX_SEGMENT = 4 << 20
"""Bytes after which calls begin in another segment."""
MAX_OVERLONG = 4 * MAX_SEGMENT
"""Bytes after which a segment takes no line, not even of the calls that began in it."""

_HEAD = b'{"k":"host","lost":"%010d","dropped":"%010d",%b'
_COUNT_AT: dict[Literal["lost", "dropped"], int] = {"lost": 20, "dropped": 43}
LIVE = b'\n{"k":"live","c":%d,%b}'
"""The first line of a call: its number, and the fields that its caller tells."""
_KIND_AT = len(b'\n{"k":"')


class WatchSegment:
    """One segment as its process writes it. Safe to use from any thread; what the disk refuses is counted.

    A host may close any descriptor (`os.closerange`, as daemons do) and get its number for a file of its own.
    So ours has an offset by which it is known before each write and before it is closed: lines go to places of their
    own, and need none. (`os.fstat` would tell as well, and cost more than the write.)
    """

    def __init__(self, path: Path, host: dict[str, Any], dropped: int) -> None:
        """A new file, locked. Raises OSError."""
        self._lock = threading.RLock()
        self._live: dict[int, int] = {}
        self._ended: set[int] = set()
        self._torn: set[int] = set()
        """Calls of which a line is not here."""
        self._counts = {"lost": 0, "dropped": dropped}
        self._left = False
        self._retired = False
        self._path = path
        self.refused = False
        """The disk has not taken a line: no call should begin here any more."""
        self._sign(create_locked(path))
        head = _HEAD % (0, dropped, to_json(host)[1:])
        self.size = len(head)
        self._put(head, 0)

    @property
    def is_open(self) -> bool:
        """Whether this process still holds the file."""
        return self._fd >= 0

    @property
    def is_kept(self) -> bool:
        """Whether its file takes room: it is held, or has calls in it that were left to whoever recovers."""
        return self.is_open or (self._left and self._path.exists())

    def begin(self, number: int, data: bytes) -> bool:
        """A call begins, `data` being its first line; False where it cannot stand here."""
        with self._lock:
            if self._retired or self._fd < 0:
                return False
            self._live[number] = self.size
            if self._add(data):
                return True
            del self._live[number]
            return False

    def append(self, number: int, data: bytes) -> None:
        """One more line of a call; counted as lost where that cannot be."""
        with self._lock:
            if self._fd < 0:
                return
            if not self.refused and self.size < MAX_OVERLONG and self._add(data):
                return
            self._torn.add(number)
        self.count("lost")

    def ended(self, number: int) -> None:
        """The call has ended and is to be stored: from now on it is needed until it is gone."""
        with self._lock:
            self._ended.add(number)

    def gone(self, number: int) -> None:
        """Nobody needs the call any more."""
        at = self._live.get(number)
        if at is not None:
            self._put(b"gone", at + _KIND_AT)
            self._forget(number)

    def leave(self, number: int) -> bool:
        """Have the call found by whoever recovers next; False where this segment does not hold it.

        One that has ended, with a line lost, is not held: without its outcome it would be told as lost itself.
        """
        with self._lock:
            if self._fd < 0 or number not in self._live or (number in self._torn and number in self._ended):
                return False
            self._left = True
        self._forget(number)
        return True

    def retire(self) -> None:
        """No call begins here any more; the file goes with the last call in it, or stays for those that were left."""
        self._retired = True
        self._close_if_done()

    def end(self, hanging: Collection[int]) -> None:
        """The process ends: what has ended is left, and what runs on; of other calls nothing will be heard again."""
        self._retired = True
        for number in list(self._live):
            if not ((number in self._ended or number in hanging) and self.leave(number)):
                self.gone(number)
        self._close_if_done()

    def disown(self) -> None:
        """In a forked child: the file and its calls are the parent's."""
        self._lock = threading.RLock()
        self._close()

    def count(self, what: Literal["lost", "dropped"]) -> None:
        """One more, told in the first line."""
        with self._lock:
            self._counts[what] = number = self._counts[what] + 1
        self._put(b"%010d" % number, _COUNT_AT[what])

    def _add(self, data: bytes) -> bool:
        """Write after all lines so far."""
        at, after = self.size, self.size + len(data)
        try:
            if not self._put(data, at):
                return False
        except BaseException:
            # The host's own, out of a signal's handler: so that it stands there for sure, once more.
            if self._put(data, at):
                self.size = after
            raise
        self.size = after
        return True

    def _put(self, data: bytes, at: int) -> bool:
        """Write at that place. Whoever calls has a call, or a line, that keeps the file open."""
        # What nearly always happens, in two calls of the system and none of ours.
        try:
            if os.lseek(self._fd, 0, os.SEEK_CUR) == self._offset and os.pwrite(self._fd, data, at) == len(data):
                return True
        except OSError as error:
            if came_from_outside(error):
                raise
        return self._put_with_care(data, at)

    def _put_with_care(self, data: bytes, at: int) -> bool:
        if not (self._is_ours() or self._regain()):
            return False
        try:
            written = os.pwrite(self._fd, data, at)
            while written != len(data):
                written += os.pwrite(self._fd, data[written:], at + written)
        except OSError as error:
            if self._fd >= 0:
                FAULTS.take(error)
                self.refused = True
            return False
        return True

    def _forget(self, number: int) -> None:
        with self._lock:
            self._live.pop(number, None)
            self._ended.discard(number)
            self._torn.discard(number)
        if self._retired:
            self._close_if_done()

    def _close_if_done(self) -> None:
        with self._lock:
            if not self._retired or self._live or self._fd < 0:
                return
            try:
                if not self._left:
                    self._path.unlink(missing_ok=True)
            except OSError as error:
                FAULTS.take(error)
            self._close()

    def _sign(self, fd: int) -> None:
        """Take a descriptor, marked by an offset at which no other file stands but by a chance of 1 in 2**31."""
        self._offset = os.lseek(fd, int.from_bytes(os.urandom(4)) | 1 << 31, os.SEEK_SET)
        self._fd = fd

    def _is_ours(self) -> bool:
        try:
            return os.lseek(self._fd, 0, os.SEEK_CUR) == self._offset
        except OSError as error:
            if came_from_outside(error):
                raise
            return False

    def _regain(self) -> bool:
        """The host has closed the descriptor: open the file once more, if nobody recovers its calls by now.

        Else it is given up: `is_open` is False, and calls begin in another segment.
        """
        with self._lock:
            if self._fd < 0 or self._is_ours():
                return self._fd >= 0
            self._fd = -1
            FAULTS.take(OSError(errno.EBADF, "The program has closed the descriptor of the watch journal"))
            fd = -1
            try:
                fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(fd).st_nlink:
                    self._sign(fd)
            except OSError as error:
                FAULTS.take(error)
            if self._fd < 0 <= fd:
                os.close(fd)
            return self._fd >= 0

    def _close(self) -> None:
        if self._is_ours():
            os.close(self._fd)
        self._fd = -1

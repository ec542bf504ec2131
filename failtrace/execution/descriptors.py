"""What of failtrace's own is open in a subject's process, kept out of the subject's way.

A subject may close or replace any descriptor. Low numbers are the ones it is likely to mean (`os.closerange(3, 256)`,
a daemon's habit) or to get next; so ours have high ones, and the journal is looked at before each line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
from dataclasses import dataclass
from typing import Any

from failtrace.capture.journal import JournalWriter

HIGH_NUMBER = 4000
"""Above what programs close or open; still a small table for the kernel to copy when the subject forks."""
_ROOM = 16


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the supervisor hands to the process."""

    journal: int
    stdout: int
    stderr: int
    status: int
    stacks: int

    def out_of_the_way(self) -> Descriptors:
        """The same under high numbers, the low ones closed."""
        return Descriptors(*(_moved(fd) for fd in (self.journal, self.stdout, self.stderr, self.status, self.stacks)))


def duplicate_high(fd: int) -> int:
    """Another descriptor of the same file under a high number, not inherited by programs. Raises OSError."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = HIGH_NUMBER if soft == resource.RLIM_INFINITY else min(HIGH_NUMBER, max(3, soft - _ROOM))
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)


def _moved(fd: int) -> int:
    """`fd` under a high number; as it is where the process may not have one more."""
    try:
        high = duplicate_high(fd)
    except OSError:
        return fd
    os.close(fd)
    return high


class GuardedJournal(JournalWriter):
    """The journal as a subject's process writes it.

    Where the subject closed or replaced the descriptor, the file is opened again by its path: no line goes into a file
    of the subject's.
    """

    __slots__ = ("_file", "_path")

    def __init__(self, fd: int, path: str) -> None:
        super().__init__(fd)
        self._path = path
        self._file = _identity(fd)

    def write(self, line: dict[str, Any]) -> bool:
        """Append one line of sanitised JSON; False, and counted, where that cannot be."""
        if _identity(self._fd) != self._file:
            self._reopen()
        return super().write(line)

    def _reopen(self) -> None:
        self._fd = -1
        with contextlib.suppress(OSError):
            fd = _moved(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
            if _identity(fd) == self._file:
                self._fd = fd
            else:
                os.close(fd)


def _identity(fd: int) -> tuple[int, int] | None:
    """Which file a descriptor means; None for one that is closed."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino

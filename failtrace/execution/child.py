"""A child process: whether it has ended, how, and its end together with that of all its descendants."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from typing import NamedTuple

from failtrace.execution.family import descendants
from failtrace.execution.limits import peak_rss_bytes

REAP_LIMIT_S = 5.0
"""Seconds that killed descendants get to be gone."""


class Ended(NamedTuple):
    """How a process ended, and what it took."""

    status: int
    """As `wait` gives it."""
    peak_rss_bytes: int
    cpu_s: float
    """Of the process and the children it waited for."""


class Child:
    """A process forked by this single-threaded one, leader of a group of its own."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended: tuple[int, resource.struct_rusage] | None = None

    def has_exited(self) -> bool:
        """Whether the process is dead."""
        if hasattr(os, "waitid"):
            # The corpse is left for `reap`, so that the number of its group stays taken until the group is killed.
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        # macOS before Python 3.13 cannot look at a corpse without taking it away.
        if self._ended is None:
            pid, status, usage = os.wait4(self._pid, os.WNOHANG)
            self._ended = (status, usage) if pid else None
        return self._ended is not None

    def signal(self, number: int) -> None:
        """Send a signal to the process alone. Only while it has not exited."""
        os.kill(self._pid, number)

    def kill(self) -> None:
        """Kill the process and its group. Only while it has not exited."""
        self.kill_group()
        # It may not be a group of its own yet.
        kill(self._pid)

    def kill_group(self) -> None:
        """Kill whatever is left of its group."""
        # No group yet, or (macOS) nothing but the corpse in it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)

    def reap(self) -> Ended:
        """How the process ended; every descendant it left is killed and reaped too."""
        if self._ended is None:
            _, status, usage = os.wait4(self._pid, 0)
            self._ended = status, usage
        give_up = time.monotonic() + REAP_LIMIT_S
        while time.monotonic() < give_up:
            try:
                left, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if left == 0:
                # All at once: whoever is killed alone may have forked meanwhile.
                for orphan in descendants(os.getpid()):
                    kill(orphan)
                time.sleep(0.0005)
        status, usage = self._ended
        return Ended(status, peak_rss_bytes(usage), usage.ru_utime + usage.ru_stime)


def kill(pid: int) -> None:
    """Kill a process, unless it is gone, or another user's by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)

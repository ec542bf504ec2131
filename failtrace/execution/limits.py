"""What the operating system enforces and counts for one execution."""

import ctypes
import errno
import math
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from failtrace.capture.exceptions import attribute, isinstance_safe, related
from failtrace.execution.family import can_tell_families
from failtrace.subjects.limits import LimitName

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

ROOM = 512 * 1024 * 1024
"""Bytes that failtrace may take beyond a subject's memory limit to record what it does."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of every orphan among the descendants, so that none is out of reach. Linux only."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies. Linux only."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class CpuLimit:
    """SIGXCPU after `seconds` of processor time from now, rounded up to the kernel's whole ones, until `end`."""

    def __init__(self, seconds: float) -> None:
        self._free = resource.getrlimit(resource.RLIMIT_CPU)
        _set_soft(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds), self._free)

    def end(self) -> None:
        """As it was."""
        _set(resource.RLIMIT_CPU, self._free)


class MemoryLimit:
    """No allocation beyond `extra_bytes` more than the process has now, until `end`. Kept on Linux only.

    RLIMIT_DATA counts private writable memory, so that mapped libraries and files are not charged to the subject. Only
    the soft limit moves, so that it can be lifted again: to describe a lack of memory takes some.
    """

    def __init__(self, extra_bytes: float) -> None:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        self._bound = self._lifted = before
        if sys.platform == "linux":
            bound = _data_bytes() + int(extra_bytes)
            self._bound = _set_soft(resource.RLIMIT_DATA, bound, before)
            self._lifted = _lower_soft(bound + ROOM, before)
        # Reentrant: a signal's handler may come between, in the same thread.
        self._lock = threading.RLock()
        self._inside = 0
        os.register_at_fork(after_in_child=self._alone)

    def lift(self) -> None:
        """Leave failtrace room for its own work, until `lower` was called as often, by whichever threads."""
        with self._lock:
            self._inside += 1
            _set(resource.RLIMIT_DATA, self._lifted)

    def lower(self) -> None:
        """The subject's limit again. What was taken meanwhile stays taken."""
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _set(resource.RLIMIT_DATA, self._bound)

    def end(self) -> None:
        """From now on the process describes what the subject came to, for which the values' own code may be run."""
        self._bound = self._lifted
        _set(resource.RLIMIT_DATA, self._bound)

    def _alone(self) -> None:
        """In a forked child: the threads that were inside are its parent's."""
        self._lock = threading.RLock()
        self._inside = 0
        _set(resource.RLIMIT_DATA, self._bound)


def met_memory_limit(error: BaseException) -> bool:
    """Whether memory was refused, under a limit of it, wherever in what the exception came from or holds."""
    return any(map(_is_refusal, related(error)))


def _is_refusal(error: BaseException) -> bool:
    """Only Python's own allocations make a MemoryError of it: `mmap` and `fork` do not, nor does a thread's stack."""
    if isinstance_safe(error, OSError):
        return bool(vars(OSError)["errno"].__get__(error) == errno.ENOMEM)
    told = attribute(error, "args")
    no_thread = type(error) is RuntimeError and len(told) == 1 and type(told[0]) is str and told[0] == _NO_THREAD
    return no_thread or isinstance_safe(error, MemoryError)


_NO_THREAD = "can't start new thread"


def _set_soft(kind: int, wanted: int, before: tuple[int, int]) -> tuple[int, int]:
    lowered = _lower_soft(wanted, before)
    _set(kind, lowered)
    return lowered


def _lower_soft(wanted: int, before: tuple[int, int]) -> tuple[int, int]:
    soft, hard = before
    return (wanted if soft == resource.RLIM_INFINITY else min(wanted, soft), hard)


def _set(kind: int, limits: tuple[int, int]) -> None:
    try:  # noqa: SIM105  `suppress` is one object more, and there may be no memory for it
        resource.setrlimit(kind, limits)
    # The subject lowered the hard limit itself.
    except (OSError, ValueError):
        pass


def not_enforced(limits: Iterable[LimitName], isolation: str) -> list[LimitName]:
    """Those that nothing here keeps: all of them inline, where the process is the host's."""
    if isolation == "inline":
        return list(limits)
    unkept = {"memory_limit_bytes"} if sys.platform != "linux" else set()
    if not can_tell_families():
        unkept.add("process_limit")
    return [name for name in limits if name in unkept]


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def peak_rss_bytes(usage: resource.struct_rusage) -> int:
    """ru_maxrss in bytes: Linux counts kibibytes, macOS bytes."""
    return usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024


def oom_kills() -> int | None:
    """How often the kernel's out-of-memory killer struck in this process's control group; None where nobody counts."""
    fd = _memory_events()
    if fd is None:
        return None
    events = os.pread(fd, 4096, 0).decode("ascii", "replace")
    return next((int(line.split()[1]) for line in events.splitlines() if line.startswith("oom_kill ")), None)


@cache
def _memory_events() -> int | None:
    """The control group's counters, opened once: they are asked for twice an execution."""
    try:
        group = Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        return os.open(Path("/sys/fs/cgroup", group, "memory.events"), os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, UnicodeDecodeError):
        return None

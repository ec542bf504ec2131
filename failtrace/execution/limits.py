"""What the operating system enforces and counts for one execution."""

import ctypes
import os
import resource
import signal
import sys
from functools import cache
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of every orphan among the descendants, so that none is out of reach. Linux only."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies. Linux only."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class MemoryLimit:
    """How much a process may allocate, from `impose` to `end`. Linux only.

    RLIMIT_DATA counts private writable memory, so that mapped libraries and files are not charged to the subject. Only
    the soft limit moves, so that it can be lifted again: to describe a lack of memory takes some.
    """

    def __init__(self) -> None:
        self._free = self._bound = resource.getrlimit(resource.RLIMIT_DATA)

    def impose(self, extra_bytes: int | None) -> None:
        """Refuse allocations beyond `extra_bytes` more than the process has now; None refuses none."""
        if extra_bytes is None or sys.platform != "linux":
            return
        soft, hard = self._free
        wanted = _data_bytes() + extra_bytes
        self._bound = (wanted if soft == resource.RLIM_INFINITY else min(wanted, soft), hard)
        self._set(self._bound)

    def end(self) -> None:
        """Lift the limit for good."""
        bound, self._bound = self._bound, self._free
        if bound is not self._free:
            self._set(self._free)

    @staticmethod
    def _set(limits: tuple[int, int]) -> None:
        try:  # noqa: SIM105  `suppress` is one object more, and there may be no memory for it
            resource.setrlimit(resource.RLIMIT_DATA, limits)
        # The subject lowered the hard limit itself.
        except (OSError, ValueError):
            pass


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


def child_pids() -> list[int]:
    """The children of this single-threaded process, adopted ones included; none where /proc does not tell."""
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(pid) for pid in listed.split()]

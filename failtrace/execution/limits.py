"""What the operating system enforces and counts for one execution."""

import ctypes
import os
import resource
import signal
import sys
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


def limit_memory(extra_bytes: int) -> None:
    """Refuse allocations beyond `extra_bytes` more than the process has now. Linux only.

    RLIMIT_DATA counts private writable memory, so that mapped libraries and files are not charged to the subject.
    """
    if sys.platform != "linux":
        return
    used = next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        if line.startswith("VmData:")
    )
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = used + extra_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def peak_rss_bytes(usage: resource.struct_rusage) -> int:
    """ru_maxrss in bytes: Linux counts kibibytes, macOS bytes."""
    return usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024


def oom_kills() -> int | None:
    """How often the kernel's out-of-memory killer struck in this process's control group; None where nobody counts."""
    try:
        group = Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        events = Path("/sys/fs/cgroup", group, "memory.events").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return next((int(line.split()[1]) for line in events.splitlines() if line.startswith("oom_kill ")), None)


def child_pids() -> list[int]:
    """The children of this single-threaded process, adopted ones included; none where /proc does not tell."""
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(pid) for pid in listed.split()]

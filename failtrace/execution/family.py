"""The processes below a process, as /proc tells: who they are, and what processor time they took. Linux only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STATE, _FIRST_TIME = 0, 11
"""Places after a process's name in /proc/PID/stat: its state; utime, stime, cutime and cstime."""


@cache
def can_tell_families() -> bool:
    """Whether /proc says whose child a process is."""
    return os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)


def children(pid: int) -> list[int]:
    """The children of a process, adopted ones included; none where /proc does not tell."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  asked many times a second
    except OSError:
        return []
    listed = (_read(f"/proc/{pid}/task/{thread}/children") for thread in threads)
    return [int(child) for ids in listed for child in ids.split()]


def descendants(pid: int) -> list[int]:
    """Every process below a process, parents before their children."""
    found = children(pid)
    for member in found:
        found += children(member)
    return found


def alive_and_cpu_s(pids: Iterable[int]) -> tuple[int, float]:
    """How many of the processes live, and the processor time that they and the children they waited for took."""
    alive, ticks = 0, 0
    for pid in pids:
        told = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        if told:
            alive += told[_STATE] not in (b"Z", b"X")
            ticks += sum(map(int, told[_FIRST_TIME : _FIRST_TIME + 4]))
    return alive, ticks / _TICKS_PER_S


def _read(path: str) -> bytes:
    """The file's bytes; none where its process is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    data = b""
    try:
        while chunk := os.read(fd, 1 << 16):
            data += chunk
    except OSError:
        pass
    finally:
        os.close(fd)
    return data

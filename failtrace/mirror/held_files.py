"""Which descriptors of this process SQLite holds, and whether they still are its own.

A program that closes descriptors it does not know, as daemons do, may get one of these numbers for a file of its own:
SQLite would write the mirror's pages into it.
"""

import os
from contextlib import suppress
from pathlib import Path

Held = dict[int, tuple[int, int]]
"""Device and inode by descriptor."""

_ALL = Path("/dev/fd")


def held_files(mirror: Path) -> Held:
    """The descriptors that are open on the mirror's file or on one beside it; none where the system does not tell."""
    files = set()
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            files.add(_identity(mirror.with_name(f"{mirror.name}{suffix}").stat()))
    found = {}
    with suppress(OSError):
        for entry in list(_ALL.iterdir()):
            with suppress(OSError, ValueError):
                identity = _identity(os.fstat(int(entry.name)))
                if identity in files:
                    found[int(entry.name)] = identity
    return found


def are_held(held: Held) -> bool:
    """Whether all of them still are open on what they were."""
    try:
        return all(_identity(os.fstat(fd)) == identity for fd, identity in held.items())
    except OSError:
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino

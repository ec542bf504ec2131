"""How the watching of a process stands, for the process itself and, by a small file, for whoever looks at the home.

Only a process that had trouble writes one; it stays after the process, for a week.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

FOLDER = "watch"
"""Of the home."""
SUFFIX = ".status.json"
HALF = ".half"
"""In the place of its last part, of one that is being written."""
KEPT_S = 7 * 24 * 3600.0
MAX_FILES = 200
"""Files that are kept and read, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStatus:
    """What became of the calls that a process had to record, since it began."""

    pid: int
    program: str
    """What it was started as."""
    at: float
    """When this was so, in seconds since 1970."""
    waiting: int
    """Calls that are being judged and stored."""
    stored: int
    left: int
    """Calls left in the journal because the store was out of order or too slow; they are recovered later."""
    dropped: int
    """Calls that could not be kept at all."""
    in_memory_alone: int
    """Calls whose lines no disk held: a killed process takes them with it."""
    faults: int
    """What went wrong inside failtrace and was kept from the host."""
    last_fault: str | None

    @property
    def troubled(self) -> bool:
        """Whether there is anything that a person should hear of."""
        return bool(self.left or self.dropped or self.in_memory_alone or self.faults)


def write_status(folder: Path, status: WatchStatus) -> None:
    """Put the file of this process in place of its last one. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{status.pid}-{_chance}{SUFFIX}"
    half = path.with_suffix(HALF)
    if not path.exists():
        prune_statuses(folder)
    told = to_json(asdict(status))
    try:
        half.write_bytes(told)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        # A full disk has room for what is written over the last one: it takes no block more.
        with path.open("r+b") as file:
            file.write(told.ljust(path.stat().st_size))


def read_statuses(folder: Path) -> tuple[WatchStatus, ...]:
    """Of every process that had trouble within a week, the newest first. What cannot be read is left out."""
    return tuple(sorted(_read(folder), key=lambda status: status.at, reverse=True))


def prune_statuses(folder: Path) -> None:
    """Remove what is older than a week, or beyond the number that is kept."""
    for last in (SUFFIX, HALF):
        for number, (at, path) in enumerate(sorted(_dated(folder, last), reverse=True)):
            if number >= MAX_FILES or at < time.time() - KEPT_S:
                with suppress(OSError):
                    path.unlink()


def _dated(folder: Path, last: str = SUFFIX) -> Iterator[tuple[float, Path]]:
    for path in folder.glob(f"*{last}"):
        with suppress(OSError):
            # A pipe of that name would keep its reader waiting.
            if path.is_file():
                yield path.stat().st_mtime, path


def _read(folder: Path) -> Iterator[WatchStatus]:
    for _, path in sorted(_dated(folder), reverse=True)[:MAX_FILES]:
        # A file of another version, or none of ours.
        with suppress(OSError, ValueError):
            yield _ADAPTER.validate_json(path.read_bytes())


def _begin_anew() -> None:
    """A process is known by its pid and by chance: those of containers begin with the same pid, each time."""
    global _chance
    _chance = os.urandom(4).hex()


_chance: str
_begin_anew()
os.register_at_fork(after_in_child=_begin_anew)
_ADAPTER = TypeAdapter(WatchStatus)

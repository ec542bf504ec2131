"""What the three rows about reading a large mirror share: the file by failtrace, and the same file by bare SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.harness import Goal, Pair, Row, in_time, interleave, times_floor, typical_of
from benchmarks.population import populated
from failtrace.mirror.mirror import Mirror
from failtrace.storage.memory import MemoryBackend
from failtrace.storage.trace_store import TraceStore

SMALL = 10_000
FLAT = Goal(must=1.5, aim=1.2, unit=" ×", reading=times_floor)
"""As many times the small mirror's time; the room above 1 is for noise and a deeper tree."""


@contextmanager
def opened(size: int) -> Iterator[tuple[TraceStore, sqlite3.Connection]]:
    """A store with nothing in memory over a mirror of `size` executions, and a bare connection to its file."""
    path = populated(size) / "mirror.sqlite"
    bare = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with TraceStore(Mirror.open(path), MemoryBackend()) as store:
        yield store, bare
    bare.close()


def flat(what: str, rounds: int, size: int, action: Callable[[TraceStore], Any], count: int) -> Row:
    """A row that holds a question to the large mirror against the same one to a small mirror."""
    with opened(SMALL) as (small, _), opened(size) as (large, _):
        pairs: tuple[Pair, ...] = interleave(
            rounds, lambda: typical_of(count, lambda: action(small)), lambda: typical_of(count, lambda: action(large))
        )
    return Row(what=what, floor=f"the same at {SMALL:,}", goal=FLAT, pairs=pairs, scale=in_time)

"""One record by its id, from a mirror of a million, validated; against a bare SELECT and json.loads."""

from __future__ import annotations

import json
import random
import sqlite3
from itertools import cycle

from benchmarks.harness import Goal, Row, in_time, interleave, times_floor, typical_of
from benchmarks.reading import opened

PER_ROUND = 500
_BARE = "SELECT body FROM body WHERE execution_id = (SELECT id FROM execution WHERE failure_id = ?)"


def measure(rounds: int, size: int) -> tuple[Row, ...]:
    """Failures at random, each asked for by both sides, the memory store empty."""
    with opened(size) as (store, bare):
        ids = cycle(_some_failures(bare))
        pairs = interleave(
            rounds,
            lambda: typical_of(PER_ROUND, lambda: json.loads(bare.execute(_BARE, (next(ids),)).fetchone()[0])),
            lambda: typical_of(PER_ROUND, lambda: store.get_trace(next(ids))),
        )
    return (
        Row(
            what=f"one record by failure_id, at {size:,}",
            floor="SQLite SELECT and json.loads",
            goal=Goal(must=10, aim=5, unit=" ×", reading=times_floor),
            pairs=pairs,
            scale=in_time,
        ),
    )


def _some_failures(bare: sqlite3.Connection) -> list[str]:
    ids = [row[0] for row in bare.execute("SELECT failure_id FROM execution WHERE failure_id IS NOT NULL")]
    return random.Random(7).sample(ids, PER_ROUND)

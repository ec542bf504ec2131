"""The first page of the newest 50 failures, against a bare query that reads one index in order."""

from __future__ import annotations

from benchmarks.harness import Goal, Row, in_time, interleave, milliseconds, typical_of
from benchmarks.reading import flat, opened

PER_ROUND = 200
_BARE = "SELECT * FROM execution WHERE failure_type = 'exception' ORDER BY ended_at DESC, id DESC LIMIT 50"


def measure(rounds: int, size: int) -> tuple[Row, ...]:
    """Failures of all types, with how many there are."""
    with opened(size) as (store, bare):
        pairs = interleave(
            rounds,
            lambda: typical_of(PER_ROUND, lambda: bare.execute(_BARE).fetchall()),
            lambda: typical_of(PER_ROUND, store.mirror.failures),
        )
    return (
        Row(
            what=f"first page of the newest 50 failures, at {size:,}",
            floor="SQLite, 50 rows by one index",
            goal=Goal(must=2, aim=0.5, unit=" ms", reading=milliseconds),
            pairs=pairs,
            scale=in_time,
        ),
        flat(
            f"first page of the newest 50 failures, flat up to {size:,}",
            rounds,
            size,
            lambda store: store.mirror.failures(),
            PER_ROUND,
        ),
    )

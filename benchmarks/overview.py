"""All numbers of the overview, against one bare query of what is already added up."""

from __future__ import annotations

from benchmarks.harness import Goal, Row, in_time, interleave, milliseconds, typical_of
from benchmarks.reading import flat, opened

PER_ROUND = 100
_BARE = "SELECT failure_type, executions FROM timeline WHERE grain = 'all'"


def measure(rounds: int, size: int) -> tuple[Row, ...]:
    """The whole time, so the largest answer: 30 days of all subjects."""
    with opened(size) as (store, bare):
        pairs = interleave(
            rounds,
            lambda: typical_of(PER_ROUND, lambda: bare.execute(_BARE).fetchall()),
            lambda: typical_of(PER_ROUND, store.mirror.overview),
        )
    return (
        Row(
            what=f"all numbers of the overview, at {size:,}",
            floor="one query of pre-aggregated counts",
            goal=Goal(must=10, aim=3, unit=" ms", reading=milliseconds),
            pairs=pairs,
            scale=in_time,
        ),
        flat(
            f"all numbers of the overview, flat up to {size:,}",
            rounds,
            size,
            lambda store: store.mirror.overview(),
            PER_ROUND,
        ),
    )

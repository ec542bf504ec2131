"""The columns of the chart over time: whole hours, whole days, or as many days together as keep them countable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from failtrace.contracts import FailureType
from failtrace.mirror.views import Overview

MOST: Final = 92
"""So many columns can still be told apart and hit; a quarter of a year by days."""
_SIZES: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_MULTIPLES: Final = (1, 7, 28, 91, 364, 3_640, 36_400, 364_000)
"""Of a day, all whole weeks but the first; the last ones for clocks that are centuries wrong."""
_EPOCH: Final = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday, so that weeks are weeks."""
_TICK: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The executions that ended in [start, end), and those of them that failed, by type."""

    start: datetime
    end: datetime
    executions: int
    failures: dict[FailureType, int]

    @property
    def size(self) -> timedelta:
        """How much time it is."""
        return self.end - self.start

    @property
    def failed(self) -> int:
        """Failures of all types."""
        return sum(self.failures.values())


def whole(overview: Overview, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The range that the overview's numbers cover: it counts by whole hours or days."""
    size = _SIZES[overview.bucket]
    return _floor(since, size), _floor(until + size - _TICK, size)


def buckets(overview: Overview, since: datetime | None, until: datetime | None) -> tuple[Bucket, ...]:
    """All buckets of the range, empty ones too, oldest first; of an open range, those of what ran."""
    starts = [start for start, _, _ in overview.over_time]
    if not starts:
        return ()
    size = _SIZES[overview.bucket]
    first, last = since or min(starts), until or _end(max(starts), size)
    size = next(size * times for times in _MULTIPLES if (last - first) / (size * times) <= MOST - 1)
    cells = _added_up(overview, size)
    return tuple(_bucket(start, size, cells.get(start, {})) for start in _starts(first, last, size))


def _added_up(overview: Overview, size: timedelta) -> dict[datetime, dict[FailureType | None, int]]:
    cells: dict[datetime, dict[FailureType | None, int]] = {}
    for moment, failure_type, number in overview.over_time:
        cell = cells.setdefault(_floor(moment, size), {})
        cell[failure_type] = cell.get(failure_type, 0) + number
    return cells


def _bucket(start: datetime, size: timedelta, cell: dict[FailureType | None, int]) -> Bucket:
    failures = {failure_type: cell[failure_type] for failure_type in FailureType if cell.get(failure_type)}
    return Bucket(start, _end(start, size), sum(cell.values()), failures)


def _starts(first: datetime, last: datetime, size: timedelta) -> Iterator[datetime]:
    start = _floor(first, size)
    while start < last:
        yield start
        start = _end(start, size)


def _floor(moment: datetime, size: timedelta) -> datetime:
    return moment - min((moment - _EPOCH) % size, moment - _FIRST)


def _end(start: datetime, size: timedelta) -> datetime:
    return _LAST if _LAST - start < size else _floor(start + size, size)

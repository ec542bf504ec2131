"""Moments as the mirror keeps them: integer microseconds since the epoch, UTC."""

from datetime import UTC, datetime, timedelta

from failtrace.errors import InputError

HOUR = 3_600_000_000
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Exact. Raises InputError for a moment without a time zone, which could be any hour of the day."""
    if moment.tzinfo is None:
        raise InputError(f"The time {moment.isoformat()!r} has no time zone; give one, e.g. datetime.now(UTC).")
    return (moment - _EPOCH) // _MICROSECOND


EARLIEST = to_micros(datetime.min.replace(tzinfo=UTC))
LATEST = to_micros(datetime.max.replace(tzinfo=UTC))


def from_micros(micros: int) -> datetime:
    """The moment, in UTC; of a number that no datetime can hold, which a damaged file may have, the nearest one."""
    return _EPOCH + timedelta(0, 0, min(max(micros, EARLIEST), LATEST))


def now() -> datetime:
    """The clock of everything that is not given one."""
    return datetime.now(UTC)

"""Counts, sizes, durations, ages and failure types in words and signs, and any text as it can be shown."""

from datetime import UTC, datetime
from typing import Final

from failtrace.contracts import FailureType

GLYPHS: Final = {
    FailureType.EXCEPTION: "✕",
    FailureType.TIMEOUT: "◷",
    FailureType.VALIDATION_ERROR: "◆",
    FailureType.HALLUCINATION_FLAG: "≈",
}
"""One sign for each failure type, the same in the terminal and on every page."""
_ABSURD_MS: Final = 1e15
_SHORTEST_MS: Final = 0.01
_UNITS: Final = ("KB", "MB", "GB", "TB")
_AGES: Final = (("days", 2 * 86_400, 86_400), ("h", 3600, 3600), ("min", 60, 60), ("s", 0, 1))
"""Unit, from how many seconds on it is used, and how many it has; assets/common.js has them too."""


def count_of(number: int, thing: str, things: str | None = None) -> str:
    """`1 record`, `1,204 records`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def ago(moment: datetime) -> str:
    """How long a moment is past, in its largest unit: `4 s`, `12 min`, `3 h`, `5 days`."""
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    unit, length = next((unit, length) for unit, least, length in _AGES if seconds >= least)
    return f"{seconds // length:.0f} {unit}"


def duration(milliseconds: float) -> str:
    """`<0.01 ms`, `0.42 ms`, `4.2 ms`, `12 ms`, `1.24 s`, `2 min 05 s`, `3 h 07 min`."""
    if not abs(milliseconds) < _ABSURD_MS:
        return f"{milliseconds / 1000:.1e} s"
    if 0 < milliseconds < _SHORTEST_MS:
        return f"<{_SHORTEST_MS} ms"
    seconds = milliseconds / 1000
    # What would be rounded up to the next unit is said in it: never "1000 ms".
    if seconds < 0.9995:
        return _milliseconds(milliseconds)
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def size(count: int) -> str:
    """`512 bytes`, `1.5 KB`, `3 MB`; 1 KB is 1,024 bytes."""
    if count < 1024:
        return count_of(count, "byte")
    amount = count / 1024
    for unit in _UNITS[:-1]:
        # From there on it would take four digits before the point.
        if amount < 999.95:
            return _sized(amount, unit)
        amount /= 1024
    return _sized(amount, _UNITS[-1])


def _sized(amount: float, unit: str) -> str:
    return f"{amount:,.1f} {unit}".replace(".0 ", " ")


def _milliseconds(amount: float) -> str:
    if not amount:
        return "0 ms"
    return f"{amount:.{2 if amount < 0.995 else 1 if amount < 9.95 else 0}f} ms"


def printable(text: str) -> str:
    """A text whose control and direction characters are written as escapes, line ends and tabs left.

    So none of them reaches a terminal, or turns around what a reader sees.
    """
    return "".join(
        character if character.isprintable() or character in "\n\t" else repr(character)[1:-1] for character in text
    )

"""Counts, ages and failure types in words and signs, for commands and pages."""

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


def count_of(number: int, thing: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def ago(moment: datetime) -> str:
    """How long a moment is past, in its largest unit: `4 s`, `12 min`, `3 h`, `5 days`."""
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, size in (("days", 86_400 * 2), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // (86_400 if unit == 'days' else size):.0f} {unit}"
    return f"{seconds:.0f} s"

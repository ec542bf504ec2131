"""Counts, ages and failure types in words and signs, and any text as it can be shown."""

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


def printable(text: str) -> str:
    """A text whose control and direction characters are written as escapes, line ends and tabs left.

    So none of them reaches a terminal, or turns around what a reader sees.
    """
    return "".join(
        character if character.isprintable() or character in "\n\t" else repr(character)[1:-1] for character in text
    )

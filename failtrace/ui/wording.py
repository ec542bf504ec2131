"""Numbers and endings in words, for the pages."""

from typing import Final

from failtrace.contracts import TimedOut, TraceRecord
from failtrace.wording import count_of as plural
from failtrace.wording import duration, size

__all__ = ["ABOUT", "duration", "no_output", "percent", "plural", "roughly", "size", "stretch_of"]

ABOUT: Final = "≈ "
"""Before a number that is not exact."""


def roughly(milliseconds: float, *, exact: bool) -> str:
    """`≈ 1.24 s` where the duration is not exact."""
    return duration(milliseconds) if exact else f"{ABOUT}{duration(milliseconds)}"


def stretch_of(first: int, rows: int, total: int) -> str:
    """`51–100 of 1,204`, `1 of 1`."""
    last = f"–{first + rows - 1:,}" if rows > 1 else ""
    return f"{first:,}{last} of {total:,}"


def percent(share: float) -> str:
    """A share of 0 to 1 as `0 %`, `<0.1 %`, `12.5 %`."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def no_output(record: TraceRecord) -> str:
    """Why there is none: what was late, and nothing ended it, returned one unless it raised."""
    raised = record.failure is not None and record.failure.error is not None
    if isinstance(record.outcome, TimedOut) and not record.outcome.enforced and not raised:
        return "The output of a late call is not kept."
    return "It did not return."

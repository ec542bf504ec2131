"""Numbers in words, for the pages."""

from typing import Final

from failtrace.wording import count_of as plural
from failtrace.wording import duration, size

__all__ = ["ABOUT", "duration", "percent", "plural", "roughly", "size", "stretch_of"]

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

"""Numbers in words, for the pages."""

from typing import Final

from failtrace.wording import count_of as plural
from failtrace.wording import duration, size

__all__ = ["ABOUT", "duration", "percent", "plural", "roughly", "size"]

ABOUT: Final = "≈ "
"""Before a number that is not exact."""


def roughly(milliseconds: float, *, exact: bool) -> str:
    """`≈ 1.24 s` where the duration is not exact."""
    return duration(milliseconds) if exact else f"{ABOUT}{duration(milliseconds)}"


def percent(share: float) -> str:
    """A share of 0 to 1 as `0 %`, `<0.1 %`, `12.5 %`."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f} %".replace(".0 %", " %")

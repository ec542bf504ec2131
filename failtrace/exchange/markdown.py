"""Pieces of Markdown that hold any text as data: whatever stands in it, it cannot get out of its fence."""

import re
from typing import Final

from failtrace.wording import printable

_TICKS: Final = re.compile(r"`+")
_CUT: Final = "…"


def fenced(text: str, language: str = "") -> str:
    """A block of code; its fence is longer than any run of backticks in the text."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def span(text: str) -> str:
    """A piece of code within a line; line ends become spaces."""
    flat = " ".join(text.split()) or " "
    fence = "`" * (_longest_run(flat) + 1)
    room = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{room}{flat}{room}{fence}"


def clipped(text: str, most_bytes: int) -> str:
    """A text that takes at most so many bytes, its fence's growth counted in; made `printable`."""
    shown = printable(text[:most_bytes])
    room = most_bytes - 2 * _longest_run(shown)
    if len(text) <= most_bytes and len(shown.encode()) <= room:
        return shown
    # A third for the text and a third for each fence hold for a text of nothing but backticks.
    room = max(room, most_bytes // 3) - len(_CUT.encode())
    return shown.encode()[:room].decode(errors="ignore") + _CUT


def _longest_run(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)

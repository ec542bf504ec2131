"""Inputs that somebody pasted or uploaded, read as the command line reads them, with every error by its line.

Imports no Streamlit. The lines go to the run as they are, bad ones among them: page and command line cannot disagree.
"""

import io
import json
import re
from dataclasses import dataclass
from typing import Final

from failtrace.inputs import MAX_KEPT_PROBLEMS, parse_line

FIRST: Final = 5
_LONGEST: Final = 300
_BETWEEN: Final = re.compile(r"[ \t\n\r,]*")
_BREAKS: Final = str.maketrans("\n\r", "  ")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would be given."""

    lines: bytes
    """JSON Lines, as `failtrace run --inputs` takes them."""
    count: int
    """Inputs that can be read."""
    first: tuple[str, ...] = ()
    """The first FIRST of them as text, cut."""
    bad: int = 0
    problems: tuple[str, ...] = ()
    """A sentence for each bad line, at most MAX_KEPT_PROBLEMS."""


def preview_lines(data: bytes) -> Preview:
    """Read JSON Lines: one value a line; an array on a line is one input."""
    first: list[str] = []
    problems: list[str] = []
    count = bad = 0
    for number, line in enumerate(io.BytesIO(data), 1):
        if not line.strip():
            continue
        try:
            parse_line(line)
        except ValueError as error:
            bad += 1
            if len(problems) < MAX_KEPT_PROBLEMS:
                problems.append(f"Line {number} is not JSON: {_why(error)}.")
        else:
            count += 1
            if len(first) < FIRST:
                first.append(_cut(line.decode(errors="replace").strip()))
    return Preview(data, count, tuple(first), bad, tuple(problems))


def preview_pasted(text: str) -> Preview:
    """Read what a person pastes: one value, an array with an input for each item, or JSON Lines."""
    text = text.strip()
    try:
        value = parse_line(text)
    except ValueError as error:
        by_line = preview_lines(text.encode(errors="surrogatepass"))
        if by_line.count or "\n" not in text:
            return by_line
        return Preview(by_line.lines, 0, bad=1, problems=(f"This is neither JSON nor JSON Lines: {error}.",))
    # Their own words, not those of json.dumps: 1e400 and a key given twice are to arrive as they were pasted.
    items = _items(text) if isinstance(value, list) else [text]
    lines = [item.translate(_BREAKS) for item in items]
    return Preview("".join([f"{line}\n" for line in lines]).encode(), len(lines), tuple(map(_cut, lines[:FIRST])))


def _items(array: str) -> list[str]:
    """The text of each item of an array that is known to be sound."""
    decoder = json.JSONDecoder()
    found = []
    at = _past(array, 1)
    while array[at] != "]":
        end = decoder.raw_decode(array, at)[1]
        found.append(array[at:end])
        at = _past(array, end)
    return found


def _past(text: str, at: int) -> int:
    """Where the next item begins, or the array ends."""
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _why(error: ValueError) -> str:
    """The reason; of a line its place without the number that Python gives each line, which is 1."""
    return f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

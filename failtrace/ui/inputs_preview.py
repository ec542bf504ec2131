"""Inputs that somebody pasted or uploaded, read as the command line reads them, with every error by its line.

Imports no Streamlit.
"""

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from failtrace.inputs import parse_line

FIRST: Final = 5
MOST_PROBLEMS: Final = 20
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would be given."""

    lines: str
    """JSON Lines, as `failtrace run --inputs` takes them; what cannot be read is left out."""
    count: int
    first: tuple[str, ...]
    """The first FIRST inputs as text, cut."""
    bad: int
    problems: tuple[str, ...]
    """A sentence for each bad line, at most MOST_PROBLEMS."""


def preview(text: str) -> Preview:
    """Read it: one JSON value a line; or one value over several lines, of which an array is an input for each item."""
    whole = _whole(text)
    values: list[Any] = []
    problems: list[str] = []
    bad = 0
    if whole is not None:
        values = whole
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                values.append(parse_line(line))
            except ValueError as error:
                bad += 1
                if len(problems) < MOST_PROBLEMS:
                    problems.append(f"Line {number} is not JSON: {error}.")
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    return Preview(
        lines="".join([f"{line}\n" for line in lines]),
        count=len(lines),
        first=tuple([line[:_LONGEST] for line in islice(lines, FIRST)]),
        bad=bad,
        problems=tuple(problems),
    )


def _whole(text: str) -> list[Any] | None:
    """The inputs where the text is one value over several lines; None where it is to be read line by line."""
    if "\n" not in text.strip():
        return None
    try:
        value = parse_line(text)
    except ValueError:
        return None
    return value if isinstance(value, list) else [value]

"""Inputs from JSON Lines, read as a stream: a bad line is reported by its number and skipped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from failtrace.errors import InputError

STDIN = Path("-")
MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_KEPT_PROBLEMS = 100
"""Sentences kept of bad lines; all are counted."""


class JsonLines:
    """The inputs of a file (`-` is standard input), one JSON value a line; empty lines are nothing. Iterate it once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.bad_lines = 0
        self.problems: list[str] = []
        """One sentence for each bad line, the first MAX_KEPT_PROBLEMS."""
        self.line_count: int | None = None
        """Lines that are not empty; None for a stream, which can be read only once."""
        if path == STDIN:
            return
        try:
            with path.open("rb") as file:
                self.line_count = sum(1 for line in file if line.strip())
        except OSError as error:
            raise InputError(
                f"Cannot read the inputs {str(path)!r} ({error.strerror}); give a file of JSON lines."
            ) from error

    def __iter__(self) -> Iterator[Any]:
        with nullcontext(sys.stdin.buffer) if self._path == STDIN else self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield parse_line(line)
                except ValueError as error:
                    self._skip(number, error)

    def _skip(self, number: int, error: ValueError) -> None:
        self.bad_lines += 1
        if len(self.problems) < MAX_KEPT_PROBLEMS:
            self.problems.append(f"Line {number} of {str(self._path)!r} is not JSON and was skipped: {error}.")


def parse_line(line: bytes | str) -> Any:
    """One line's value. Raises ValueError, with the reason, for what is not JSON: NaN and Infinity are not."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"it has {len(line)} bytes and the limit is {MAX_LINE_BYTES}")
    try:
        return json.loads(line, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")

"""Inputs from JSON Lines, read as a stream: a bad line is reported by its number and skipped."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from failtrace.errors import InputError

STDIN = Path("-")
MAX_LINE_BYTES = 64 * 1024 * 1024
"""Of one line, its end included; of a longer one no more than this is ever in memory."""
MAX_KEPT_PROBLEMS = 100
"""Sentences kept of bad lines; all are counted."""
_SKIP_BYTES = 64 * 1024


class JsonLines:
    """The inputs of a file (`-` is standard input), one JSON value a line; empty lines are nothing. Iterate it once.

    Raises InputError where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.bad_lines = 0
        self.problems: list[str] = []
        """One sentence for each bad line, the first MAX_KEPT_PROBLEMS."""
        self.line_count: int | None = None
        """Lines that are not empty; None for a pipe, a FIFO or a device, which can be read only once."""
        if path == STDIN:
            if sys.stdin is None:
                raise InputError("The inputs are to come from standard input, which is closed; give a file.")
            return
        try:
            # A FIFO is not even opened: its writer would lose its only reader.
            if not _once_only(path.stat()):
                with path.open("rb") as file:
                    self.line_count = sum(1 for line in _lines(file) if line.strip())
        except OSError as error:
            raise self._unreadable(error) from error

    def __iter__(self) -> Iterator[Any]:
        with self._open() as file:
            for number, line in enumerate(_lines(file), 1):
                if not line.strip():
                    continue
                try:
                    yield parse_line(line)
                except ValueError as error:
                    self._skip(number, error)

    def told(self) -> Iterator[str]:
        """The problems, and how many more there were."""
        yield from self.problems
        if unsaid := self.bad_lines - len(self.problems):
            yield f"{unsaid} more lines of {str(self._path)!r} are not JSON and were skipped."

    def _open(self) -> AbstractContextManager[IO[bytes]]:
        if self._path == STDIN:
            return nullcontext(sys.stdin.buffer)
        try:
            return self._path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> InputError:
        return InputError(f"Cannot read the inputs {str(self._path)!r} ({error.strerror}); give a file of JSON lines.")

    def _skip(self, number: int, error: ValueError) -> None:
        self.bad_lines += 1
        if len(self.problems) < MAX_KEPT_PROBLEMS:
            self.problems.append(f"Line {number} of {str(self._path)!r} is not JSON and was skipped: {error}.")


def _once_only(found: os.stat_result) -> bool:
    return stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode) or stat.S_ISSOCK(found.st_mode)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends; of one beyond MAX_LINE_BYTES its beginning, one byte too long, and the rest skipped."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(_SKIP_BYTES)


def parse_line(line: bytes | str) -> Any:
    """One line's value. Raises ValueError, with the reason, for what is not JSON: NaN and Infinity are not."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"it is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        return json.loads(line, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")

"""Inputs as JSON Lines: files, streams, and lines that are not what they should be."""

import io
import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from failtrace import inputs
from failtrace.errors import InputError
from failtrace.inputs import STDIN, JsonLines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inputs.jsonl"


def test_a_file_is_counted_and_read(file: Path) -> None:
    """Values in order, with any line end and a BOM; empty lines are nothing, bad ones are named by their number."""
    file.write_bytes(b'\xef\xbb\xbf1\r\n\n{"a": [null]}\n\xff\nNaN\n' + b"[" * 100_000 + b'\n"end"')
    lines = JsonLines(file)

    assert (list(lines), lines.line_count, lines.bad_lines) == ([1, {"a": [None]}, "end"], 6, 3)
    assert [problem.split(str(file))[0] for problem in lines.told()] == ["Line 4 of '", "Line 5 of '", "Line 6 of '"]


def test_problems_beyond_those_kept_are_counted(file: Path) -> None:
    """A file that is not JSON at all is told in a bounded number of sentences."""
    file.write_text("not json\n" * (inputs.MAX_KEPT_PROBLEMS + 7))
    lines = JsonLines(file)

    assert list(lines) == []
    *_, last = told = list(lines.told())
    assert (len(told), last) == (
        inputs.MAX_KEPT_PROBLEMS + 1,
        f"7 more lines of {str(file)!r} are not JSON and were skipped.",
    )


@pytest.mark.parametrize("end", ["\n", ""], ids=["then-more", "at-the-end"])
def test_an_overlong_line_is_never_in_memory(file: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit cuts the line before it is read whole; a line of exactly the limit is read, and what follows too."""
    monkeypatch.setattr(inputs, "MAX_LINE_BYTES", 1000)
    fits = f'"{"x" * 997}"\n'
    file.write_text(fits + '"' + "y" * 10_000_000 + '"' + end + ("2\n" if end else ""))
    tracemalloc.start()
    try:
        lines = JsonLines(file)
        values = list(lines)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert values == ["x" * 997, *([2] if end else [])]
    assert (lines.line_count, lines.bad_lines) == (2 + bool(end), 1)
    assert list(lines.told()) == [
        f"Line 2 of {str(file)!r} is not JSON and was skipped: it is longer than 1,000 bytes."
    ]
    assert peak < 1_000_000


def test_a_fifo_is_read_once(tmp_path: Path) -> None:
    """Nothing is counted beforehand, for that would eat the stream; the writer is not disturbed."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    lines = JsonLines(fifo)
    writer = threading.Thread(target=fifo.write_text, args=("1\n2\n",))
    writer.start()

    assert (lines.line_count, list(lines)) == (None, [1, 2])
    writer.join()


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_said_at_once(tmp_path: Path, name: str, reason: str) -> None:
    """Before any run begins."""
    with pytest.raises(InputError, match=reason):
        JsonLines(tmp_path / name)


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"1\n2"))], ids=["closed", "open"])
def test_standard_input(stdin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads it once; where it is closed, a sentence says so."""
    monkeypatch.setattr(sys, "stdin", stdin)
    if stdin is None:
        with pytest.raises(InputError, match="closed"):
            JsonLines(STDIN)
    else:
        assert list(JsonLines(STDIN)) == [1, 2]

"""How commands speak: JSON lines for programs, plain sentences and tables for people."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from typing import IO, Any

import click
from rich.console import Console

from failtrace.contracts import FailureType
from failtrace.wording import GLYPHS

UNFOLDED = 100_000
"""Columns for a program that reads our output: an id must not lose its end."""


def print_json(line: Mapping[str, Any]) -> None:
    """One JSON value on one line of stdout, at once."""
    text = json.dumps(line, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(line)
    print_line(text)


def print_line(text: str | bytes, *, err: bool = False) -> None:
    """A line on stdout or stderr, at once; nowhere once the reader has left."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        mute(sys.stderr if err else sys.stdout)


def mute(stream: IO[str] | None) -> None:
    """What is written to the stream from now on goes nowhere, and so does what it still holds."""
    if stream is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def never_refuse_a_character() -> None:
    """A character that stdout or stderr cannot encode is written as its escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Console(Console):
    """A console whose reader may leave: `failtrace run | head -1` still records to its end."""

    def on_broken_pipe(self) -> None:
        mute(self.file)
        self.quiet = True


def is_terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout is not None and sys.stdout.isatty()


def to_stdout() -> Console:
    """For tables and reports; where stdout is no terminal, plain and never folded. Markup is off: text is text."""
    width = None if is_terminal() else UNFOLDED
    return _Console(markup=False, highlight=False, emoji=False, width=width)


def to_stderr() -> Console:
    """For progress; silent about it where stderr is no terminal."""
    return _Console(stderr=True, markup=False, highlight=False, emoji=False)


def print_failure(
    console: Console, kind: FailureType, failure_id: str | None, subject: str, message: str, *, at: str = ""
) -> None:
    """A failure on three lines, its id always whole; the message is cut at the screen's edge."""
    console.print(f"{GLYPHS[kind]} {kind}  {one_line(subject, 200)}\n  {failure_id}{at}", soft_wrap=True)
    console.print(f"  {one_line(message)}", no_wrap=True, overflow="ellipsis")


def one_line(text: str, limit: int = 200) -> str:
    """A text on one line, without control characters, cut to `limit` characters."""
    flat = "".join(character if character.isprintable() else " " for character in text[: limit * 2])
    flat = " ".join(flat.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"

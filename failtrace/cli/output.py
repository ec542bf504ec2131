"""How commands speak: JSON lines for programs, plain sentences and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console

from failtrace.contracts import FailureType

UNFOLDED = 100_000
"""Columns for a program that reads our output: an id must not lose its end."""

ICONS = {
    FailureType.EXCEPTION: "✗",
    FailureType.TIMEOUT: "◷",
    FailureType.VALIDATION_ERROR: "≠",
    FailureType.HALLUCINATION_FLAG: "¿",
}


def print_json(line: Mapping[str, Any]) -> None:
    """One JSON value on one line of stdout, at once."""
    click.echo(json.dumps(line, ensure_ascii=False))


def to_stdout() -> Console:
    """For tables and reports; where stdout is no terminal, plain and never folded. Markup is off: text is text."""
    width = None if sys.stdout.isatty() else UNFOLDED
    return Console(markup=False, highlight=False, emoji=False, width=width)


def to_stderr() -> Console:
    """For progress; silent about it where stderr is no terminal."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def one_line(text: str, limit: int = 200) -> str:
    """A text on one line, without control characters, cut to `limit` characters."""
    flat = "".join(character if character.isprintable() else " " for character in text[: limit * 2])
    flat = " ".join(flat.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def printable(text: str) -> str:
    """A text with its line ends kept and every other control character made visible: no escape reaches a terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else repr(character)[1:-1] for character in text
    )

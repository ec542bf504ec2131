"""The rows as a Markdown table, for the terminal and for results.md."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from benchmarks.harness import Row

HEAD = ("what", "floor", "failtrace", "measured", "lowest to highest", "must", "aim", "result")


def table(rows: Sequence[Row]) -> str:
    """One line a row, and the notes below."""
    lines = [_line(HEAD), _line(["---"] * len(HEAD)), *(_line(_cells(row)) for row in rows)]
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes]).rstrip() + "\n"


def document(rows: Sequence[Row], rounds: int, size: int) -> str:
    """All of results.md."""
    return (
        "# What failtrace costs\n\n"
        f"Measured by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {rounds} rounds a row, floor and failtrace in "
        f"turn, medians. The large mirror holds {size:,} executions, one in ten a failure.\n\n"
        f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}.\n\n{table(rows)}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    must, aim = row.goal.text(row.goal.must), row.goal.text(row.goal.aim)
    if not row.pairs:
        return row.what, row.floor, "", "", "", must, aim, "skipped"
    readings = row.readings
    return (
        row.what,
        f"{row.floor}: {row.scale(median(pair.floor for pair in row.pairs))}",
        row.scale(median(pair.ours for pair in row.pairs)),
        row.goal.text(row.value),
        f"{row.goal.text(min(readings))} to {row.goal.text(max(readings))}",
        must,
        aim,
        row.goal.verdict(row.value),
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

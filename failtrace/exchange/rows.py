"""Failures as files for other programs: JSON Lines of whole records, CSV of their summaries.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or the end of a line for a formula, and a formula
can start programs and send data away. Subjects write what they like, so such a cell gets an apostrophe before it, as
OWASP advises ("CSV Injection"). It may also split at other separators than ours: where `;`, a tab or the end of a line
stands inside of a cell, another begins there, and the sign of a formula in it gets an apostrophe too. Numbers are never
such cells, and stay numbers.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from failtrace.mirror.views import ExecutionRow

MOST_RECORDS: Final = 10_000
MOST_BYTES: Final = 200 * 1024 * 1024

COLUMNS: Final = (
    "failure_id",
    "trace_id",
    "run_id",
    "subject",
    "failure_type",
    "message",
    "occurred_at",
    "duration_ms",
    "fingerprint",
)
"""Of the CSV: the names that `failtrace list --json` gives."""

# Spreadsheets skip spaces before a formula, some what cannot be seen too, and some know the full-width signs.
_UNSEEN: Final = "\\s\\x00-\\x1f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff"
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA: Final = re.compile(f'[{_UNSEEN}"]*?[{_SIGNS}\\t\\r\\n]')
# What may stand between holds no separator: each character is looked at once. A quote opens a cell, and is not shown.
_FORMULA_INSIDE: Final = re.compile(f'([;\\t\\r\\n](?:(?![\\t\\r\\n])[{_UNSEEN}"])*+)(?=[{_SIGNS}])')


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A file of whole records."""

    content: bytes
    records: int
    full: bool
    """Whether records were left out, since the file may grow no further."""


def json_lines(records: Iterable[bytes], most_bytes: int = MOST_BYTES) -> JsonLines:
    """One encoded record a line, as many as fit."""
    file = io.BytesIO()
    count = 0
    for record in records:
        # Outside of its strings JSON may hold line ends, inside it cannot.
        line = b" ".join(record.splitlines()) + b"\n"
        if file.tell() + len(line) > most_bytes:
            return JsonLines(file.getvalue(), count, full=True)
        file.write(line)
        count += 1
    return JsonLines(file.getvalue(), count, full=False)


def csv_table(rows: Iterable[ExecutionRow]) -> bytes:
    """A line for each failure under a line of names; UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in rows:
        cells = (
            row.failure_id,
            row.trace_id,
            row.run_id,
            row.subject,
            row.failure_type,
            row.message,
            row.ended_at.isoformat(),
            row.duration_ms,
            row.fingerprint,
        )
        table.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """The text, with an apostrophe wherever a spreadsheet would begin a formula.

    Before all of it, and inside of it before a sign that a `;`, a tab or the end of a line makes the first of a cell.
    """
    inside = _FORMULA_INSIDE.sub(r"\1'", text)
    return f"'{inside}" if _FORMULA.match(text) else inside

"""What can be read of a damaged mirror's copy, from its first row to its last.

A record counts only when its sha256 holds; of an execution whose record is lost the summary stays, and where the
summary is lost it is made of the record.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from failtrace.codec import decode_record, digest
from failtrace.errors import UnreadableRecord
from failtrace.mirror.archive import AT_ONCE, Archived
from failtrace.mirror.soundness import is_deed, is_moment, is_run, is_summary
from failtrace.mirror.tables import audit, run
from failtrace.mirror.writes import Entry, entry_of

_DEED_COLUMNS: Final = tuple([column.name for column in audit.c])
_RUN_COLUMNS: Final = tuple([column.name for column in run.c if column.name not in ("id", "cancel_requested")])
_COLUMNS: Final = tuple([name for name in Entry._fields if name not in ("body", "text")])
_SUMMARIES: Final = "SELECT * FROM execution WHERE id BETWEEN ? AND ? ORDER BY id"
_BODIES: Final = "SELECT execution_id AS id, body FROM body WHERE execution_id BETWEEN ? AND ? ORDER BY execution_id"
_DEEDS: Final = "SELECT * FROM audit WHERE id BETWEEN ? AND ? ORDER BY id"
_RUNS: Final = "SELECT * FROM run WHERE id BETWEEN ? AND ? ORDER BY id"
_LAST: Final = ("SELECT max(id) FROM execution", "SELECT max(execution_id) FROM body")
_LAST_DEED: Final = ("SELECT max(id) FROM audit",)
_LAST_RUN: Final = ("SELECT max(id) FROM run",)
_NEXT: Final = (
    "SELECT min(id) FROM execution WHERE id >= ?",
    "SELECT min(execution_id) FROM body WHERE execution_id >= ?",
)
_SMALLEST_ROW: Final = 20
"""Bytes that a row takes at least, so that there are no more of them than the file could hold."""
_BARREN: Final = 50_000
"""Ids in a row that cannot be read, from which on a table that does not tell where it goes on is given up."""


class Salvage:
    """A copy under reading."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection = connection
        self._most = size // _SMALLEST_ROW
        self.unreadable = 0
        """Ids of rows that were given up, as far as the file tells how many there are; some may have had no row."""
        last = self._last(_LAST)
        self.incomplete = last is None
        """Whether there may be executions that were not even looked for."""
        self._last_id = self._most if last is None else last

    def runs(self) -> Iterator[dict[str, Any]]:
        """Every run that can be read."""
        yield from self._rows(_LAST_RUN, _RUNS, _RUN_COLUMNS, is_run)

    def deeds(self) -> Iterator[dict[str, Any]]:
        """Every deed that can be read. An older mirror has none."""
        yield from self._rows(_LAST_DEED, _DEEDS, _DEED_COLUMNS, is_deed)

    def executions(self) -> Iterator[list[Archived]]:
        """Every execution that can be read, some at a time, so that memory stays small."""
        first, barren = 1, 0
        while first <= self._last_id:
            found, gone = self._stretch(first, min(first + AT_ONCE - 1, self._last_id))
            yield found
            self.unreadable += 0 if self.incomplete else gone
            barren = 0 if found else barren + gone
            first += AT_ONCE
            if not found and first <= self._last_id:
                first = self._next(first, give_up=barren > _BARREN)

    def _last(self, statements: tuple[str, ...]) -> int | None:
        """The greatest id that any of the tables tells: one that is damaged may tell less than there is."""
        told = []
        for statement in statements:
            with suppress(sqlite3.Error):
                last = self._connection.execute(statement).fetchone()[0]
                told.append(last if isinstance(last, int) else 0)
        return max(told, default=None)

    def _next(self, first: int, *, give_up: bool) -> int:
        """The next id that is there; a table that cannot tell may hold the very first, until it is given up."""
        told = []
        for statement in _NEXT:
            try:
                found = self._connection.execute(statement, (first,)).fetchone()[0]
            except sqlite3.Error:
                if not give_up:
                    return first
            else:
                told.append(sys.maxsize if found is None else int(found))
        self.incomplete |= len(told) < len(_NEXT)
        return min(told, default=sys.maxsize)

    def _rows(
        self,
        last: tuple[str, ...],
        statement: str,
        names: tuple[str, ...],
        is_whole: Callable[[Mapping[str, Any]], bool],
    ) -> Iterator[dict[str, Any]]:
        end = min(self._last(last) or 0, self._most)
        for first in range(1, end + 1, AT_ONCE):
            rows, gone = _readable(self._connection, statement, first, min(first + AT_ONCE - 1, end))
            self.unreadable += gone
            for row in rows.values():
                columns = _columns(row, names)
                if is_whole(columns):
                    yield columns
                else:
                    self.unreadable += 1

    def _stretch(self, first: int, last: int) -> tuple[list[Archived], int]:
        """The executions of these ids as far as they can be read, and how many rows could not be."""
        summaries, lost = _readable(self._connection, _SUMMARIES, first, last)
        bodies, _ = _readable(self._connection, _BODIES, first, last)
        for number in summaries.keys() - bodies.keys():
            # A page out of order ends a range early, without an error.
            bodies |= _readable(self._connection, _BODIES, number, number)[0]
        found, alone = [], 0
        for number in sorted(summaries.keys() | bodies.keys()):
            content = bodies[number]["body"] if number in bodies else b""
            archived = _archived(summaries.get(number), content if isinstance(content, bytes) else b"")
            if archived is not None:
                found.append(archived)
                alone += number not in summaries
            elif number in summaries:
                lost += 1
        return found, max(0, lost - alone)


@contextmanager
def salvaging(copy: Path) -> Iterator[Salvage]:
    """The copy, open."""
    with closing(sqlite3.connect(copy, timeout=1)) as connection:
        connection.row_factory = sqlite3.Row
        # Bytes that are no UTF-8 are damage like any other, and must not end the reading.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        yield Salvage(connection, copy.stat().st_size + _size(copy.with_name(f"{copy.name}-wal")))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _columns(row: sqlite3.Row, names: tuple[str, ...]) -> dict[str, Any]:
    """The columns of a row; None for those that an older mirror has not."""
    keys = row.keys()
    return {name: row[name] if name in keys else None for name in names}


def _archived(row: sqlite3.Row | None, content: bytes) -> Archived | None:
    """An execution of its row and its record; of the record alone where the row is gone or is none."""
    columns = None if row is None else _columns(row, (*_COLUMNS, "stored_at"))
    if columns is None or not is_summary(columns):
        entry = _entry(content)
        return entry and Archived(entry, entry.ended_at)
    stored_at = columns.pop("stored_at")
    if not is_moment(stored_at):
        stored_at = columns["ended_at"]
    if content and digest(content) == columns["sha256"].hex() and (entry := _entry(content)):
        return Archived(entry, stored_at)
    return Archived(Entry(**columns, body=b"", text=""), stored_at)


def _entry(content: bytes) -> Entry | None:
    try:
        return entry_of(decode_record(content), content, digest(content))
    except UnreadableRecord:
        return None


def _readable(
    connection: sqlite3.Connection, statement: str, first: int, last: int
) -> tuple[dict[int, sqlite3.Row], int]:
    """The rows of a range by id, halved where it cannot be read as a whole, and how many ids were given up."""
    try:
        return {row["id"]: row for row in connection.execute(statement, (first, last))}, 0
    except sqlite3.Error:
        if first == last:
            return {}, 1
    middle = (first + last) // 2
    left, lost_left = _readable(connection, statement, first, middle)
    right, lost_right = _readable(connection, statement, middle + 1, last)
    return left | right, lost_left + lost_right

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
from failtrace.mirror.soundness import is_deed, is_moment, is_number, is_run, is_summary
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
_NEXT_DEED: Final = "SELECT min(id) FROM audit WHERE id >= ?"
_NEXT_RUN: Final = "SELECT min(id) FROM run WHERE id >= ?"
_LAST_NUMBER: Final = ("SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit'", *_LAST_DEED)
_AUDIT_SINCE: Final = 4
"""Schema version of the first mirrors that have an audit."""
_WAS_KEPT: Final = (
    "SELECT 1 FROM body INDEXED BY body_passed WHERE passed_subject = ? AND ended_at = ? AND execution_id = ?"
)
"""Of an execution that passed: asked of the index alone, which stands on other pages than the records."""
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
        self.without_record = 0
        """Executions whose record could not be read; one that passed had one as far as the file tells."""
        self.lost: list[str] = []
        """What could not be read at all, beside the executions."""
        last = self._last(_LAST)
        self.incomplete = last is None
        """Whether there may be executions that were not even looked for."""
        self._last_id = self._most if last is None else last

    def runs(self) -> Iterator[dict[str, Any]]:
        """Every run that can be read."""
        last = self._last(_LAST_RUN)
        if last is None:
            self.lost.append("runs")
        yield from self._rows(last or 0, _RUNS, _NEXT_RUN, _RUN_COLUMNS, is_run)

    def deeds(self) -> Iterator[dict[str, Any]]:
        """Every deed that can be read. An older mirror has none."""
        last = self._last(_LAST_DEED)
        if last is None and self._connection.execute("PRAGMA user_version").fetchone()[0] >= _AUDIT_SINCE:
            self.lost.append("audit")
        yield from self._rows(last or 0, _DEEDS, _NEXT_DEED, _DEED_COLUMNS, is_deed)

    def last_number(self) -> int:
        """The greatest number that the audit ever gave, as far as it can be read; 0 where it cannot."""
        number = self._last(_LAST_NUMBER) or 0
        return number if is_number(number) else 0

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
        told = [found for statement in _NEXT if (found := self._told(statement, first)) is not None]
        if len(told) < len(_NEXT):
            if not give_up:
                return first
            self.incomplete = True
        return min(told, default=sys.maxsize)

    def _told(self, statement: str, first: int) -> int | None:
        """The next id from this one on, beyond all where there is none; None where the table cannot tell."""
        with suppress(sqlite3.Error):
            found = self._connection.execute(statement, (first,)).fetchone()[0]
            return sys.maxsize if found is None else int(found)
        return None

    def _rows(
        self,
        last: int,
        statement: str,
        next_one: str,
        names: tuple[str, ...],
        is_whole: Callable[[Mapping[str, Any]], bool],
    ) -> Iterator[dict[str, Any]]:
        first, barren = 1, 0
        while first <= last:
            rows, gone = _readable(self._connection, statement, first, min(first + AT_ONCE - 1, last))
            self.unreadable += gone
            barren = 0 if rows else barren + gone
            first += AT_ONCE
            if not rows and first <= last:
                # Numbers may begin far above the first: none is given twice, after a rescue neither.
                found = self._told(next_one, first)
                first = (sys.maxsize if barren > _BARREN else first) if found is None else found
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
        gone = set()
        for number in summaries.keys() - bodies.keys():
            # A page out of order ends a range early, without an error.
            again, is_gone = _readable(self._connection, _BODIES, number, number)
            bodies |= again
            if is_gone:
                gone.add(number)
        found, alone = [], 0
        for number in sorted(summaries.keys() | bodies.keys()):
            content = bodies[number]["body"] if number in bodies else b""
            archived = _archived(summaries.get(number), content if isinstance(content, bytes) else b"")
            if archived is not None:
                found.append(archived)
                alone += number not in summaries
                if not archived.entry.body:
                    self.without_record += number in bodies or self._had_record(archived, number, number in gone)
            elif number in summaries:
                lost += 1
        return found, max(0, lost - alone)

    def _had_record(self, found: Archived, number: int, otherwise: bool) -> bool:
        """Whether a record was kept of an execution; `otherwise` is the answer where nothing tells."""
        if found.entry.failure_id is not None:
            return True
        with suppress(sqlite3.Error):
            asked = (found.entry.subject, found.entry.ended_at, number)
            return self._connection.execute(_WAS_KEPT, asked).fetchone() is not None
        return otherwise


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

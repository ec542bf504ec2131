"""A damaged mirror: set aside as it is, and what can be read of it taken into a fresh one.

The damaged file keeps its bytes under the name `mirror.sqlite.corrupt-…`; reading is done on a copy, whose header is
made anew where that is what was damaged. A record counts only when its sha256 holds; of an execution whose record is
lost the summary stays, and where the summary is lost it is made of the record. The fresh mirror takes its place in one
step when it is whole: who opens meanwhile finds the damage, and waits.
"""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from failtrace.codec import decode_record, digest
from failtrace.errors import DamagedMirror, StoreError, UnreadableRecord
from failtrace.mirror.archive import AT_ONCE, Archived
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.tables import audit, run
from failtrace.mirror.writes import Entry, entry_of

MARK: Final = ".corrupt-"
_NOTE: Final = ".txt"
_HEADER: Final = 100
"""Bytes of a SQLite file's header; what follows on its first page is the list of tables."""
_PATIENCE_S: Final = 60.0
_DEED_COLUMNS: Final = tuple([column.name for column in audit.c])
_RUN_COLUMNS: Final = tuple([column.name for column in run.c if column.name not in ("id", "cancel_requested")])
_COLUMNS: Final = tuple([name for name in Entry._fields if name not in ("body", "text")])
_SUMMARIES: Final = "SELECT * FROM execution WHERE id BETWEEN ? AND ? ORDER BY id"
_DEEDS: Final = "SELECT * FROM audit WHERE id BETWEEN ? AND ? ORDER BY id"
_BODIES: Final = "SELECT execution_id AS id, body FROM body WHERE execution_id BETWEEN ? AND ? ORDER BY execution_id"


@dataclass(frozen=True, slots=True)
class Rescue:
    """What became of a damaged mirror."""

    aside: Path
    records: int
    """Executions taken over with their records (or without one, where none had been kept)."""
    without_record: int
    """Executions of which only the summary could be read."""
    unreadable: int
    """Rows that could not be read at all, as far as they could be counted."""

    @property
    def told(self) -> str:
        """The outcome in a sentence."""
        lost = f", {self.without_record:,} without their record" if self.without_record else ""
        gone = f"; {self.unreadable:,} rows could not be read" if self.unreadable else ""
        return (
            f"The mirror was damaged and is kept as {str(self.aside)!r}: {self.records:,} executions were taken over"
            f"{lost}{gone}; failures that are in Cosmos DB or in an export come back by `failtrace sync` or "
            "`failtrace import`."
        )


def open_or_rescue(path: Path, keep_passed: int, *, outbox: bool) -> tuple[Mirror, Rescue | None]:
    """The mirror at `path`; where it is damaged, a fresh one with what could be read of it.

    With `outbox` the failures taken over are to be sent to Cosmos DB again, which takes each once. Raises StoreError
    as `Mirror.open` does, but never for damage.
    """
    try:
        return Mirror.open(path, keep_passed), None
    except DamagedMirror:
        return rescue(path, keep_passed, outbox=outbox)


def rescue(path: Path, keep_passed: int, *, outbox: bool, whole: bool = False) -> tuple[Mirror, Rescue | None]:
    """As `open_or_rescue`; with `whole` every page is looked at first. Of several processes at once, one does it."""
    with _alone(path):
        if not _is_damaged(path, keep_passed, whole=whole):
            return Mirror.open(path, keep_passed), None
        aside = path.with_name(f"{path.name}{MARK}{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        fresh = path.with_name(f"{path.name}.fresh")
        try:
            with _made_anew(fresh, keep_passed) as mirror:
                found = _take_over(path, aside, mirror, outbox=outbox)
            _note_of(aside).write_text(found.told + "\n", encoding="utf-8")
            _change_places(path, aside, fresh)
        except OSError as error:
            raise _refused(path, error) from error
    return Mirror.open(path, keep_passed), found


def set_aside(path: Path) -> list[tuple[Path, str]]:
    """The damaged files beside a mirror, newest first, and what was told of each."""
    asides = [file for file in path.parent.glob(f"{path.name}{MARK}*") if not file.name.endswith((_NOTE, "-wal"))]
    notes = [(file, _note_of(file)) for file in sorted(asides, reverse=True)]
    return [(file, note.read_text(encoding="utf-8").strip() if note.exists() else "") for file, note in notes]


def _note_of(aside: Path) -> Path:
    return aside.with_name(aside.name + _NOTE)


def _is_damaged(path: Path, keep_passed: int, *, whole: bool) -> bool:
    try:
        with Mirror.open(path, keep_passed) as mirror:
            return whole and not mirror.is_sound()
    except DamagedMirror:
        return True


@contextmanager
def _made_anew(fresh: Path, keep_passed: int) -> Iterator[Mirror]:
    """An empty mirror beside the damaged one; what a killed rescuer left of its own is taken away first."""
    _unlink_all(fresh)
    try:
        with Mirror.open(fresh, keep_passed) as mirror:
            yield mirror
    except BaseException:
        _unlink_all(fresh)
        raise


def _change_places(path: Path, aside: Path, fresh: Path) -> None:
    """The damaged file gets a second name, and the fresh one its first: there is no moment without a file."""
    wal = _beside(path, "-wal")
    if wal.exists():
        wal.rename(_beside(aside, "-wal"))
    try:
        os.link(path, aside)
    except OSError:
        # A file system without second names.
        path.rename(aside)
    with suppress(FileNotFoundError):
        _beside(path, "-shm").unlink()
    fresh.replace(path)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _unlink_all(path: Path) -> None:
    for file in (path, _beside(path, "-wal"), _beside(path, "-shm")):
        with suppress(OSError):
            file.unlink()


def _take_over(path: Path, aside: Path, mirror: Mirror, *, outbox: bool) -> Rescue:
    """Read a copy from its first row to its last; each stretch is written at once, so memory stays small."""
    records = without_record = unreadable = 0
    with _copied(path, mirror.path) as copy, closing(sqlite3.connect(copy, timeout=1)) as connection:
        connection.row_factory = sqlite3.Row
        # Bytes that are no UTF-8 are damage like any other, and must not end the reading.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for columns in _runs(connection):
            mirror.restore_run(columns)
        unreadable += _take_over_audit(connection, mirror)
        last = _last_id(connection, copy)
        for first in range(1, last + 1, AT_ONCE):
            found, gone = _stretch(connection, first, min(first + AT_ONCE - 1, last))
            records += mirror.restore(found, outbox=outbox)
            without_record += sum([1 for item in found if item.entry.failure_id and not item.entry.body])
            unreadable += gone
    return Rescue(aside, records, without_record, unreadable)


def _take_over_audit(connection: sqlite3.Connection, mirror: Mirror) -> int:
    """Who did what, as far as it can be read; gives how many deeds could not be."""
    try:
        last = int(connection.execute("SELECT max(id) FROM audit").fetchone()[0] or 0)
    # An older mirror has none; where its last number cannot be read, neither can the rest.
    except sqlite3.Error:
        return 0
    lost = 0
    for first in range(1, last + 1, AT_ONCE):
        rows, gone = _readable(connection, _DEEDS, first, min(first + AT_ONCE - 1, last))
        deeds = [{name: row[name] for name in _DEED_COLUMNS} for row in rows.values()]
        mirror.restore_audit([deed for deed in deeds if _is_deed(deed)])
        lost += gone
    return lost


def _is_deed(columns: dict[str, Any]) -> bool:
    return isinstance(columns["at"], int) and all(isinstance(columns[name], str) for name in ("who", "deed", "detail"))


def _stretch(connection: sqlite3.Connection, first: int, last: int) -> tuple[list[Archived], int]:
    """The executions of these ids as far as they can be read, and how many rows could not be."""
    summaries, lost_rows = _readable(connection, _SUMMARIES, first, last)
    bodies, _ = _readable(connection, _BODIES, first, last)
    found = []
    for number in sorted(summaries.keys() | bodies.keys()):
        content = bodies[number]["body"] if number in bodies else b""
        archived = _archived(summaries.get(number), content if isinstance(content, bytes) else b"")
        if archived is not None:
            found.append(archived)
    return found, max(0, lost_rows - len(bodies.keys() - summaries.keys()))


def _archived(row: sqlite3.Row | None, content: bytes) -> Archived | None:
    """An execution of its row and its record; of the record alone where the row is gone."""
    if row is not None:
        sound = bool(content) and digest(content) == bytes(row["sha256"] or b"").hex()
        if sound:
            with suppress(UnreadableRecord):
                return Archived(entry_of(decode_record(content), content, digest(content)), row["stored_at"])
        keys = row.keys()
        columns: dict[str, Any] = {name: row[name] if name in keys else None for name in _COLUMNS}
        return Archived(Entry(**columns, body=b"", text=""), row["stored_at"]) if _is_whole(columns) else None
    try:
        entry = entry_of(decode_record(content), content, digest(content))
    except UnreadableRecord:
        return None
    return Archived(entry, entry.ended_at)


def _is_whole(columns: dict[str, Any]) -> bool:
    """Whether a row has what a summary needs: damage may leave anything in it."""
    texts = [columns[name] for name in ("trace_id", "subject", "outcome", "failure_type", "message")]
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(columns["ended_at"], int)
        and isinstance(columns["duration_ms"], (int, float))
        and isinstance(columns["sha256"], bytes)
    )


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


def _last_id(connection: sqlite3.Connection, copy: Path) -> int:
    """The greatest id; where no table tells, as many as the file could hold."""
    for statement in ("SELECT max(id) FROM execution", "SELECT max(execution_id) FROM body"):
        with suppress(sqlite3.Error):
            return int(connection.execute(statement).fetchone()[0] or 0)
    try:
        connection.execute("SELECT 1 FROM execution LIMIT 0")
    except sqlite3.Error:
        return 0
    return copy.stat().st_size // 512


def _runs(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    with suppress(sqlite3.Error):
        for row in connection.execute("SELECT * FROM run ORDER BY id"):
            keys: Sequence[str] = row.keys()
            yield {name: row[name] for name in _RUN_COLUMNS if name in keys}


@contextmanager
def _copied(path: Path, fresh: Path) -> Iterator[Path]:
    """A copy to read, with a header that SQLite takes. Raises OSError."""
    copy = _beside(path, ".rescue")
    _unlink_all(copy)
    try:
        shutil.copyfile(path, copy)
        if (wal := _beside(path, "-wal")).exists():
            shutil.copyfile(wal, _beside(copy, "-wal"))
        if not _opens(copy):
            _give_header(copy, fresh)
        yield copy
    finally:
        _unlink_all(copy)


def _opens(copy: Path) -> bool:
    try:
        with closing(sqlite3.connect(copy, timeout=1)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return True


def _give_header(copy: Path, fresh: Path) -> None:
    """The header of a fresh mirror, whose pages have the same size, with the copy's own number of pages."""
    head = bytearray(fresh.read_bytes()[:_HEADER])
    page = int.from_bytes(head[16:18], "big")
    if copy.stat().st_size < page:
        return
    head[28:32] = (copy.stat().st_size // page).to_bytes(4, "big")
    head[32:40] = bytes(8)  # no free pages
    head[92:96] = head[24:28]  # the number of pages is that of this change
    with copy.open("r+b") as file:
        file.write(head)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time, by a lock on the folder, which goes with its process. Raises StoreError after a minute."""
    give_up = time.monotonic() + _PATIENCE_S
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        while not _locked(folder):
            if time.monotonic() > give_up:
                raise StoreError(
                    f"The mirror {str(path)!r} is being rescued by another process; try again when it is done."
                )
            time.sleep(0.1)
        yield
    finally:
        os.close(folder)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The damaged mirror {str(path)!r} cannot be set aside ({error.strerror}); make its folder writable and room "
        "on its disk, or point FAILTRACE_HOME at another folder."
    )

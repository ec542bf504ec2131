"""A damaged mirror: set aside as it is, and what can be read of it taken into a fresh one.

The damaged file keeps its bytes under the name `mirror.sqlite.corrupt-…`; reading is done on a copy. The fresh mirror
takes its place in one step when it is whole: who opens meanwhile finds the damage, and waits. A first mirror comes to
its place in the same way, so an empty file is never one that is being made: it is what is left of one.
"""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from failtrace.errors import DamagedMirror, FailureIdTaken, StoreError
from failtrace.mirror.archive import Archived
from failtrace.mirror.engine import looking_at_files
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.readable_copy import beside, readable_copy, replayed_copy, unlink_all
from failtrace.mirror.salvage import Salvage, salvaging
from failtrace.mirror.wal import is_cut_short

MARK: Final = ".corrupt-"
_NOTE: Final = ".txt"
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Rescue:
    """What became of a damaged mirror."""

    aside: Path
    records: int
    """Executions taken over with their records (or without one, where none had been kept)."""
    without_record: int
    """Executions of which only the summary could be read."""
    unreadable: int
    """Rows that could not be read at all, at most, as far as they could be counted."""
    unread_bytes: int = 0
    """Bytes of the file where there may be executions in it that could not even be looked for."""
    was_empty: bool = False
    """Whether the file had no bytes at all."""
    log_was_cut: bool = False
    """Whether its write-ahead log no longer held all that was committed to it."""
    lost: tuple[str, ...] = ()
    """Of `runs` and `audit` what could not be read at all."""

    @property
    def told(self) -> str:
        """The outcome in a sentence."""
        return (
            f"The mirror was damaged and is kept as {str(self.aside)!r}: {self._found}; failures that are in Cosmos DB "
            "or in an export come back by `failtrace sync` or `failtrace import`."
        )

    @property
    def _found(self) -> str:
        if self.unread_bytes and not self.records:
            return f"nothing of its {self.unread_bytes:,} bytes could be read, and records may still be in it"
        if self.was_empty:
            return "it was empty (0 bytes), and what it held is lost"
        lost = f", {self.without_record:,} without their record" if self.without_record else ""
        gone = f"; up to {self.unreadable:,} rows could not be read" if self.unreadable else ""
        gone += "".join([f"; its {name} could not be read" for name in self.lost])
        if self.log_was_cut:
            gone += "; its write-ahead log is damaged or cut short, and what was written last may be lost"
        more = f"; not all of its {self.unread_bytes:,} bytes could be read, and records may still be in it"
        return f"{self.records:,} executions were taken over{lost}{gone}{more if self.unread_bytes else ''}"


def open_or_rescue(path: Path, keep_passed: int, *, outbox: bool) -> tuple[Mirror, Rescue | None]:
    """The mirror at `path`; where it is damaged, a fresh one with what could be read of it.

    With `outbox` the failures taken over are to be sent to Cosmos DB again, which takes each once. Raises StoreError
    as `Mirror.open` does, but never for damage.
    """
    try:
        begin(path, keep_passed)
        if _is_empty(path) or is_cut_short(path):
            return rescue(path, keep_passed, outbox=outbox)
        return Mirror.open(path, keep_passed), None
    except DamagedMirror:
        return rescue(path, keep_passed, outbox=outbox)


def begin(path: Path, keep_passed: int) -> None:
    """Make the first mirror here, whole from its first moment, where nothing is at `path`.

    What cannot be done is left to `Mirror.open` to say. Raises StoreError where the disk has no room for it.
    """
    if os.path.lexists(path):
        if _half_changed(path):
            with suppress(OSError), _alone(path):
                _change_back(path)
        return
    fresh = beside(path, ".fresh")
    with suppress(OSError), _alone(path):
        if _size(beside(path, "-wal")):
            path.touch(exist_ok=True)  # what is in it is to be rescued, and it fits no other file
        elif not os.path.lexists(path):
            with _made_anew(fresh, keep_passed):
                pass
            fresh.replace(path)


def rescue(path: Path, keep_passed: int, *, outbox: bool, whole: bool = False) -> tuple[Mirror, Rescue | None]:
    """As `open_or_rescue`; with `whole` every page is looked at first. Of several processes at once, one does it."""
    try:
        with looking_at_files(), _alone(path):
            _change_back(path)
            if not _is_damaged(path, keep_passed, whole=whole):
                return Mirror.open(path, keep_passed), None
            log_was_cut = is_cut_short(path)
            aside = beside(path, f"{MARK}{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
            fresh = beside(path, ".fresh")
            with _made_anew(fresh, keep_passed) as mirror:
                found = _take_over(path, aside, mirror, outbox=outbox)
                if log_was_cut:
                    found = _with_whole_log(path, found, mirror, outbox=outbox)
            _note_of(aside).write_text(found.told + "\n", encoding="utf-8")
            _change_places(path, aside, fresh)
    except OSError as error:
        raise StoreError(
            f"The damaged mirror {str(path)!r} cannot be set aside ({error.strerror}); make its folder writable and "
            "room on its disk, or point FAILTRACE_HOME at another folder."
        ) from error
    return Mirror.open(path, keep_passed), found


def set_aside(path: Path) -> list[tuple[Path, str]]:
    """The damaged files beside a mirror, newest first, and what was told of each."""
    asides = [file for file in path.parent.glob(f"{path.name}{MARK}*") if not file.name.endswith((_NOTE, "-wal"))]
    notes = [(file, _note_of(file)) for file in sorted(asides, reverse=True)]
    return [(file, note.read_text(encoding="utf-8").strip() if note.exists() else "") for file, note in notes]


def _note_of(aside: Path) -> Path:
    return aside.with_name(aside.name + _NOTE)


def _is_empty(path: Path) -> bool:
    return path.is_file() and not path.stat().st_size


def _is_damaged(path: Path, keep_passed: int, *, whole: bool) -> bool:
    if _is_empty(path) or is_cut_short(path):
        return True
    try:
        with Mirror.open(path, keep_passed) as mirror:
            return whole and not mirror.is_sound()
    except DamagedMirror:
        return True


@contextmanager
def _made_anew(fresh: Path, keep_passed: int) -> Iterator[Mirror]:
    """An empty mirror beside the damaged one; what a killed rescuer left of its own is taken away first."""
    unlink_all(fresh)
    try:
        with Mirror.open(fresh, keep_passed) as mirror:
            yield mirror
        if _size(beside(fresh, "-wal")):
            # It could not be brought into the file, and would not go with it to its place.
            raise StoreError(
                f"The mirror {str(fresh)!r} cannot be made, its disk has no room for it; make room, or point "
                "FAILTRACE_HOME at a folder on another disk."
            )
    except BaseException:
        unlink_all(fresh)
        raise


def _change_places(path: Path, aside: Path, fresh: Path) -> None:
    """The damaged file gets a second name, and the fresh one its first: there is no moment without a file.

    Whoever is killed in between has it changed back by the next one (`_change_back`).
    """
    wal = beside(path, "-wal")
    try:
        os.link(path, aside)
    except OSError:
        shutil.copy2(path, aside)  # a file system without second names
    if wal.exists():
        wal.rename(beside(aside, "-wal"))
    with suppress(FileNotFoundError):
        beside(path, "-shm").unlink()
    fresh.replace(path)


def _half_changed(path: Path) -> list[Path]:
    """The second names that the file has: one, where its rescuer was killed before the fresh one took the first."""
    with suppress(FileNotFoundError):
        return [aside for aside, _ in set_aside(path) if _is_same(aside.stat(), path.stat())]
    return []


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """The same file, or a copy of it with its time."""
    return os.path.samestat(one, other) or (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _change_back(path: Path) -> None:
    """The damaged file with its WAL again, as if nobody had begun."""
    for aside in _half_changed(path):
        if (wal := beside(aside, "-wal")).exists():
            wal.rename(beside(path, "-wal"))
        _note_of(aside).unlink(missing_ok=True)
        aside.unlink()


def _take_over(path: Path, aside: Path, mirror: Mirror, *, outbox: bool) -> Rescue:
    """Read a copy from its first row to its last; each stretch is written at once, so memory stays small."""
    size = _size(path) + _size(beside(path, "-wal"))
    if not size:
        return Rescue(aside, 0, 0, 0, was_empty=True)
    with readable_copy(path, mirror.path) as copy:
        if copy is None:
            return Rescue(aside, 0, 0, 0, size)
        with salvaging(copy) as salvage:
            return _restored(salvage, aside, mirror, size, outbox=outbox)


def _with_whole_log(path: Path, found: Rescue, mirror: Mirror, *, outbox: bool) -> Rescue:
    """With what stands in the log behind the place where SQLite stops."""
    more = Rescue(found.aside, 0, 0, 0, lost=found.lost)
    with replayed_copy(path) as copy, suppress(sqlite3.Error), salvaging(copy) as salvage:
        more = _restored(salvage, found.aside, mirror, 0, outbox=outbox)
    lost = tuple([name for name in found.lost if name in more.lost])
    return replace(found, records=found.records + more.records, lost=lost, log_was_cut=True)


def _restored(salvage: Salvage, aside: Path, mirror: Mirror, size: int, *, outbox: bool) -> Rescue:
    records = 0
    for columns in salvage.runs():
        mirror.archive.restore_run(columns)
    for deed in salvage.deeds():
        mirror.archive.restore_audit([deed])
    mirror.archive.number_audit_behind(salvage.last_number())
    for found in salvage.executions():
        records += _restore(mirror, found, outbox=outbox)
    unread = size if salvage.incomplete else 0
    lost = tuple(salvage.lost)
    return Rescue(aside, records, salvage.without_record, salvage.unreadable, unread, lost=lost)


def _restore(mirror: Mirror, found: Sequence[Archived], *, outbox: bool) -> int:
    """How many were new; where damage left one failure_id to two, the first has it."""
    try:
        return mirror.archive.restore(found, outbox=outbox)
    except FailureIdTaken:
        return sum([_restore(mirror, [item], outbox=outbox) for item in found]) if len(found) > 1 else 0


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time, by a lock on the folder, which goes with its process.

    Raises StoreError after a minute, OSError where the folder cannot be made or opened.
    """
    give_up = time.monotonic() + _PATIENCE_S
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        while not _locked(folder):
            if time.monotonic() > give_up:
                raise StoreError(
                    f"The mirror {str(path)!r} is being rescued by another process; try again when it is done."
                )
            time.sleep(0.1)
        yield
    finally:
        # A child that was forked meanwhile has the same lock, and would keep it.
        fcntl.flock(folder, fcntl.LOCK_UN)
        os.close(folder)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

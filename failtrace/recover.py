"""`recover`: a journal segment whose processes are gone becomes a record.

Runs at every start. An execution that had finished gets the record it would have had; one that was under way becomes an
exception with its last open step. The ids stand in the segment, so two recoverers, or one that is killed between
storing and discarding, make no second record.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from failtrace.capture.journal import JournalLines, Segment, read_journal, segments
from failtrace.contracts import TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import ExecutionError, InputError
from failtrace.storage.trace_store import TraceStore


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery found."""

    records: int = 0
    failures: int = 0
    unreadable: int = 0
    """Segments without a first line, set aside with the suffix `.unreadable`."""


def recover(journal: Path, store: TraceStore) -> Recovery:
    """Turn every abandoned segment of the folder into a stored record. Raises StoreError where that fails."""
    records = failures = unreadable = 0
    for path in segments(journal):
        segment = Segment.claim(path)
        if segment is None:
            continue
        record, readable = _record(segment)
        if record is not None and _store(segment, record, store):
            records += 1
            failures += record.failure is not None
        elif record is None and readable:
            segment.discard()
        else:
            unreadable += 1
            path.replace(path.with_suffix(".unreadable"))
            segment.leave()
    return Recovery(records, failures, unreadable)


def _store(segment: Segment, record: TraceRecord, store: TraceStore) -> bool:
    """Store one record and discard its segment; False for a record that no store can hold."""
    try:
        store.store_trace(record)
    except InputError:
        return False
    except BaseException:
        segment.leave()
        raise
    segment.discard()
    return True


def _record(segment: Segment) -> tuple[TraceRecord | None, bool]:
    """(record, whether the segment could be read). No record where nothing ran."""
    try:
        lines = segment.read()
        return (None, True) if _never_ran(lines) else (assemble(lines), True)
    # Lines of another version, hostile ones, or not ours at all: one bad segment must not stop a start.
    except Exception:  # noqa: BLE001
        return None, False


def _never_ran(lines: JournalLines) -> bool:
    """Killed before its first line was out, or its subject could not be loaded."""
    return (not lines.lines and lines.torn <= 1) or lines.first("unloadable") is not None


def find_in_journal(journal: Path, wanted: str) -> TraceRecord | None:
    """The record of an abandoned segment by its failure_id or trace_id; None for one that still runs."""
    for path in segments(journal):
        try:
            opened = read_journal(path).first("open")
        except ExecutionError:
            # Stored and gone since it was listed.
            continue
        if opened is None or wanted not in (opened.get("failure_id"), opened.get("trace_id")):
            continue
        segment = Segment.claim(path)
        if segment is None:
            return None
        try:
            return _record(segment)[0]
        finally:
            segment.leave()
    return None

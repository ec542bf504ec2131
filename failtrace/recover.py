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
from failtrace.errors import ExecutionError
from failtrace.storage.trace_store import TraceStore

BATCH = 100


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
    claimed: list[tuple[Segment, TraceRecord]] = []
    for path in segments(journal):
        segment = Segment.claim(path)
        if segment is None:
            continue
        record, readable = _record(segment)
        if record is not None:
            claimed.append((segment, record))
            records += 1
            failures += record.failure is not None
        elif readable:
            segment.discard()
        else:
            unreadable += 1
            path.replace(path.with_suffix(".unreadable"))
            segment.leave()
        if len(claimed) >= BATCH:
            _store(claimed, store)
    _store(claimed, store)
    return Recovery(records, failures, unreadable)


def _store(claimed: list[tuple[Segment, TraceRecord]], store: TraceStore) -> None:
    if not claimed:
        return
    try:
        store.store_traces([record for _, record in claimed])
    except BaseException:
        for segment, _ in claimed:
            segment.leave()
        raise
    for segment, _ in claimed:
        segment.discard()
    claimed.clear()


def _record(segment: Segment) -> tuple[TraceRecord | None, bool]:
    """(record, whether the segment could be read). No record where nothing ran."""
    lines = read_journal(segment.path)
    if _never_ran(lines):
        return None, True
    try:
        return assemble(lines), True
    except (ExecutionError, KeyError, TypeError, ValueError):
        # Lines of another version, or not ours at all.
        return None, False


def _never_ran(lines: JournalLines) -> bool:
    """Killed before its first line was out, or its subject could not be loaded."""
    return (not lines.lines and lines.torn <= 1) or lines.first("unloadable") is not None


def find_in_journal(journal: Path, wanted: str) -> TraceRecord | None:
    """The record of an abandoned segment by its failure_id or trace_id; None for one that still runs."""
    for path in segments(journal):
        lines = read_journal(path)
        opened = lines.first("open")
        if opened is None or wanted not in (opened["failure_id"], opened["trace_id"]):
            continue
        segment = Segment.claim(path)
        if segment is None:
            return None
        try:
            return _record(segment)[0]
        finally:
            segment.leave()
    return None

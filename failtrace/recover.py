"""`recover`: a journal segment whose processes are gone becomes a record; one of watched calls, a record for each.

Runs at every start. An execution that had finished gets the record it would have had; one that was under way becomes an
exception with its last open step. The ids stand in the segment, so two recoverers, or one that is killed between
storing and discarding, make no second record.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from failtrace.capture import watch_segment
from failtrace.capture.journal import JournalLines, Segment, read_journal, segments
from failtrace.capture.watch_status import FOLDER, prune_statuses
from failtrace.contracts import TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import ExecutionError, InputError
from failtrace.storage.trace_store import TraceStore

BATCH = 50
"""Records of watched calls that are stored in one transaction."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery found."""

    records: int = 0
    failures: int = 0
    unreadable: int = 0
    """Segments without a first line, set aside with the suffix `.unreadable`."""

    def __add__(self, other: Recovery) -> Recovery:
        return Recovery(
            self.records + other.records, self.failures + other.failures, self.unreadable + other.unreadable
        )


def recover(journal: Path, store: TraceStore, between: Callable[[float], None] | None = None) -> Recovery:
    """Turn every abandoned segment of the folder into stored records. Raises StoreError where that fails.

    `between` is called with the seconds that each transaction took: a host that must not notice makes a pause there.
    """
    found = Recovery()
    for path in segments(journal):
        segment = Segment.claim(path)
        if segment is not None:
            found += _one(segment, store)
    for path in segments(journal, watch_segment.SUFFIX):
        segment = Segment.claim(path)
        if segment is not None:
            found += _watched(segment, store, between or (lambda _: None))
    prune_statuses(journal.parent / FOLDER)
    return found


def _one(segment: Segment, store: TraceStore) -> Recovery:
    """The one execution of a segment."""
    record, readable = _record(segment)
    if record is not None and _store(segment, record, store):
        return Recovery(1, int(record.failure is not None))
    if record is None and readable:
        segment.discard()
        return Recovery()
    _set_aside(segment)
    return Recovery(unreadable=1)


def _set_aside(segment: Segment) -> None:
    segment.path.replace(segment.path.with_suffix(".unreadable"))
    segment.leave()


def _watched(segment: Segment, store: TraceStore, between: Callable[[float], None]) -> Recovery:
    """The calls that were under way, or not stored yet, when the process of a watch segment was lost."""
    records, readable = _watched_records(segment)
    stored: list[TraceRecord] = []
    try:
        for start in range(0, len(records), BATCH):
            began = time.monotonic()
            batch = records[start : start + BATCH]
            stored += _stored(batch, store)
            between(time.monotonic() - began)
    except BaseException:
        segment.leave()
        raise
    found = Recovery(len(stored), sum(record.failure is not None for record in stored))
    if readable and len(stored) == len(records):
        segment.discard()
        return found
    _set_aside(segment)
    return found + Recovery(unreadable=1)


def _stored(batch: list[TraceRecord], store: TraceStore) -> list[TraceRecord]:
    """Those of the batch that a store can hold, stored."""
    try:
        store.store_traces(batch)
    except InputError:
        return [kept for record in batch for kept in _stored([record], store)] if len(batch) > 1 else []
    return batch


def _watched_records(segment: Segment) -> tuple[list[TraceRecord], bool]:
    """The record of each call that failed, was sampled or never ended, and whether all could be read."""
    records: list[TraceRecord] = []
    lines = segment.read()
    readable = not lines.lines or lines.lines[0]["k"] == "host"
    lived_until = os.fstat(segment.fd).st_mtime_ns
    for call in watch_segment.calls(lines) if readable else ():
        # As in `_record`; and one bad call must not take the others with it.
        try:
            story = watch_segment.lost_story(lines, call, lived_until)
            record = assemble(story)
            outcome = story.last("outcome")
            if record.failure is not None or (outcome and outcome["sampled"]):
                records.append(record)
        except Exception:  # noqa: BLE001
            readable = False
    return records, readable


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
    return _find_watched(journal, wanted)


def _find_watched(journal: Path, wanted: str) -> TraceRecord | None:
    """As above, among the calls of watch segments."""
    for path in segments(journal, watch_segment.SUFFIX):
        segment = Segment.claim(path)
        if segment is None:
            continue
        try:
            records, _ = _watched_records(segment)
        finally:
            segment.leave()
        for record in records:
            if wanted in (record.failure_id, record.trace_id):
                return record
    return None

"""`recover`: a journal segment whose processes are gone becomes a record; one of watched calls, a record for each.

Runs at every start. An execution that had finished gets the record it would have had; one that was under way becomes an
exception with its last open step. The ids stand in the segment, so two recoverers, or one that is killed between
storing and discarding, make no second record.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from failtrace.capture import watch_segment, watch_story
from failtrace.capture.journal import SUFFIX, JournalLines, Segment, segments
from failtrace.capture.watch_status import FOLDER, prune_statuses
from failtrace.contracts import TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import FailureIdTaken, InputError
from failtrace.storage.trace_store import TraceStore

BATCH = 50
"""Records that are stored in one transaction."""
MOST_READ = {SUFFIX: 512 << 20, watch_segment.SUFFIX: 4 * watch_segment.MAX_OVERLONG}
"""Bytes of a segment that is still read: half of what SQLite takes as one record, and more than a host ever writes."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery found."""

    records: int = 0
    failures: int = 0
    unreadable: int = 0
    """Segments that could not be read, or not wholly; set aside with the suffix `.unreadable`."""

    def __add__(self, other: Recovery) -> Recovery:
        return Recovery(
            self.records + other.records, self.failures + other.failures, self.unreadable + other.unreadable
        )


def recover(journal: Path, store: TraceStore, between: Callable[[float], None] | None = None) -> Recovery:
    """Turn every abandoned segment of the folder into stored records. Raises StoreError where that fails.

    Whatever stands in a segment, it cannot keep the others from theirs: what is not understood is set aside.
    `between` is called with the seconds that each transaction took: a host that must not notice makes a pause there.
    """
    found = Recovery()
    for suffix in MOST_READ:
        for path in segments(journal, suffix):
            segment = Segment.claim(path)
            if segment is not None:
                try:
                    found += _taken_up(segment, store, between or (lambda _: None))
                finally:
                    segment.leave()
    prune_statuses(journal.parent / FOLDER)
    return found


def _taken_up(segment: Segment, store: TraceStore, between: Callable[[float], None]) -> Recovery:
    """The executions of one segment, which is then gone, or set aside."""
    records, readable = _records(segment)
    stored: list[TraceRecord] = []
    for start in range(0, len(records), BATCH):
        began = time.monotonic()
        stored += _stored(records[start : start + BATCH], store)
        between(time.monotonic() - began)
    found = Recovery(len(stored), sum(record.failure is not None for record in stored))
    if readable and len(stored) == len(records):
        # Where the folder lets nothing be removed, the records are found stored the next time.
        with suppress(OSError):
            segment.discard()
        return found
    _set_aside(segment.path)
    return found + Recovery(unreadable=1)


def _stored(batch: list[TraceRecord], store: TraceStore) -> list[TraceRecord]:
    """Those of the batch that a store can hold, stored."""
    try:
        store.store_traces(batch)
    except (InputError, FailureIdTaken):
        return [kept for record in batch for kept in _stored([record], store)] if len(batch) > 1 else []
    return batch


def _set_aside(path: Path) -> None:
    """Out of the way of every later start, and nothing that was set aside before is written over."""
    names = (path.with_suffix(f".{number}.unreadable") for number in count())
    with suppress(OSError):
        path.rename(next(name for name in names if not os.path.lexists(name)))


def _records(segment: Segment) -> tuple[list[TraceRecord], bool]:
    """The records of a segment, and whether all of it could be read."""
    kind = segment.path.suffix
    try:
        status = os.fstat(segment.fd)
        if status.st_size > MOST_READ[kind]:
            return [], False
        lines = segment.read()
        return (_of_execution(lines), True) if kind == SUFFIX else _of_calls(lines, status.st_mtime_ns)
    # Lines of another version, hostile ones, or not ours at all: one bad segment must not stop a start.
    except Exception:  # noqa: BLE001
        return [], False


def _of_execution(lines: JournalLines) -> list[TraceRecord]:
    """The record of a segment's one execution; none where nothing ran."""
    # Killed before its first line was out, or its subject could not be loaded.
    never_ran = not (lines.lines or lines.torn) or lines.first("unloadable") is not None
    return [] if never_ran else [assemble(lines)]


def _of_calls(lines: JournalLines, lived_until: int) -> tuple[list[TraceRecord], bool]:
    """The record of each call that failed, may have failed, was sampled or never ended, and whether all could be read.

    May have: whose output was still to be held against its evidence, which nobody can ask any more.
    """
    records: list[TraceRecord] = []
    calls, readable = watch_story.calls(lines)
    for call in calls:
        # As in `_records`; and one bad call must not take the others with it.
        try:
            story = watch_story.lost_story(lines, call, lived_until)
            record = assemble(story)
            outcome = story.last("outcome") or {}
            if record.failure is not None or outcome.get("sampled") or outcome.get("evidence"):
                records.append(record)
        except Exception:  # noqa: BLE001
            readable = False
    # A torn line is counted in the records beside it; where there are none, nothing else would tell of it.
    return records, readable and (bool(records) or not lines.torn)


def find_in_journal(journal: Path, wanted: str) -> TraceRecord | None:
    """The record of an abandoned segment by its failure_id or trace_id; None for one that still runs."""
    paths = (path for suffix in MOST_READ for path in segments(journal, suffix))
    held = (record for path in paths for record in _held_in(path))
    return next((record for record in held if wanted in (record.failure_id, record.trace_id)), None)


def _held_in(path: Path) -> list[TraceRecord]:
    """The records of a segment, which stays; none of one that somebody holds."""
    segment = Segment.claim(path)
    if segment is None:
        return []
    try:
        return _records(segment)[0]
    finally:
        segment.leave()

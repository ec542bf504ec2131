"""Sync: failures that other machines wrote to Cosmos DB come into this machine's mirror."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from failtrace.capture.redaction import redact_sentence
from failtrace.codec import decode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import UnreadableRecord
from failtrace.mirror.inbox import Arrival
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import UnreadableItem
from failtrace.storage.cosmos.delivery import Change
from failtrace.storage.workers import Workers

OVERLAP_S = 600
"""How far behind the watermark each sync looks again: `_ts` is given in whole seconds, and by clocks that differ."""
READERS = 8
BATCH = 50
"""Records that share one transaction, and are in memory at once, at most."""
RETRIED_MOST = 10_000
"""Items that are read again at once, the newest of those that could not be read."""

Read = tuple[Change, TraceRecord, bytes] | UnreadableItem


class Origin(Protocol):
    """What a sync reads from."""

    def changes(self, since: int) -> Iterator[tuple[Change, ...]]:
        """Pages of what changed since a `_ts` (seconds), oldest first."""

    def get(self, failure_id: str) -> bytes | None:
        """The encoded record. Raises UnreadableRecord for an item that is none of ours, CosmosFault."""

    def raw(self, item_id: str) -> bytes | None:
        """The JSON of any item."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync brought."""

    received: int = 0
    """Failures that are new in this mirror."""
    unreadable: int = 0
    """Items that could not be read as records; the mirror keeps them as they are."""


class Sync:
    """Brings what `origin` holds, and the mirror does not, into the mirror; `source` names the origin's watermark."""

    def __init__(self, mirror: Mirror, origin: Origin, source: str) -> None:
        self._inbox = mirror.inbox
        self._origin = origin
        self._source = source

    def run(self) -> SyncReport:
        """Go from the watermark, less an overlap, to the present. Raises CosmosFault or StoreError.

        Records and watermark are saved in one transaction, so that it may be killed at any moment and go on from there.
        """
        watermark = self._inbox.watermark(self._source)
        report = SyncReport()
        try:
            for page in self._origin.changes(max(0, (watermark or 0) - OVERLAP_S)):
                report = _added(report, self._take(page, self._news(page)))
        except Exception as error:
            self._inbox.note(self._source, redact_sentence(str(error)))
            raise
        self._inbox.note(self._source, None)
        return report

    def retry_unreadable(self) -> int:
        """Read the items again that could not be read; gives how many can be now. After an upgrade they may."""
        told = self._inbox.unreadable_ids(self._source, RETRIED_MOST)
        return sum([self._retry(told[start : start + BATCH]) for start in range(0, len(told), BATCH)])

    def _retry(self, batch: Sequence[tuple[str, int]]) -> int:
        gone = {item_id for item_id, _ in batch}
        readable: list[Arrival] = []
        for read in self._read([Change(id=item_id, failure_id=item_id, ts=ts) for item_id, ts in batch]):
            if isinstance(read, UnreadableItem):
                gone.discard(read.id)
            else:
                change, record, body = read
                gone.discard(change.id)
                readable.append((record, body, change.ts))
        if gone:
            self._inbox.forget(self._source, gone)
        return self._inbox.take(self._source, readable, watermark=0) if readable else 0

    def _news(self, page: Sequence[Change]) -> list[Change]:
        """What the mirror lacks, but for what could not be read before and is as it was."""
        fresh = self._inbox.unknown([change.id for change in page])
        told = self._inbox.told_unreadable(self._source, fresh)
        return [change for change in page if change.id in fresh and told.get(change.id) != change.ts]

    def _take(self, page: Sequence[Change], news: Sequence[Change]) -> SyncReport:
        """The page's news, some at a time; the watermark follows what was taken."""
        report = SyncReport()
        for start in range(0, len(news), BATCH):
            batch = news[start : start + BATCH]
            report = _added(report, self._take_batch(batch, watermark=batch[-1].ts))
        if page:
            self._inbox.take(self._source, (), watermark=page[-1].ts)
        return report

    def _take_batch(self, batch: Sequence[Change], watermark: int) -> SyncReport:
        read = list(self._read(batch))
        records = [item for item in read if not isinstance(item, UnreadableItem)]
        unreadable = [item for item in read if isinstance(item, UnreadableItem)]
        received = self._inbox.take(
            self._source,
            [(record, body, change.ts) for change, record, body in records],
            watermark=watermark,
            unreadable=unreadable,
        )
        return SyncReport(received, len(unreadable))

    def _read(self, changes: Iterable[Change]) -> Iterator[Read]:
        """The items behind the changes, several at once; one that has gone meanwhile is left out."""
        workers: Workers[Change, Read | None] = Workers(self._read_one, READERS, "failtrace-sync")
        try:
            for change in changes:
                workers.submit(change)
            while workers.in_flight:
                for _, result in workers.collect(timeout=60.0):
                    if isinstance(result, BaseException):
                        raise result
                    if result is not None:
                        yield result
        finally:
            workers.close()

    def _read_one(self, change: Change) -> Read | None:
        try:
            body = self._origin.get(change.id) if change.failure_id == change.id else None
            if body is not None:
                return change, decode_record(body), body
            reason = "Its id is not its failure_id, so it is no record of failtrace."
        except UnreadableRecord as error:
            reason = str(error)
        raw = self._origin.raw(change.id)
        return None if raw is None else UnreadableItem(change.id, change.ts, reason, raw)


def _added(first: SyncReport, second: SyncReport) -> SyncReport:
    return SyncReport(first.received + second.received, first.unreadable + second.unreadable)

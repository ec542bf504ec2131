"""The way to one destination: a bounded queue, and a thread that makes spans of records and sends them."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The key by which OpenTelemetry's own processors keep an exporter's requests from becoming spans.
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.contracts import TraceRecord
from failtrace.exchange.destinations import Destination
from failtrace.exchange.heard import Heard
from failtrace.exchange.spans import spans_of

MAX_RECORDS = 1_000
"""Records that wait for one destination; beyond that new ones are dropped and counted."""
MAX_SPANS = 50_000
"""Spans that wait for one destination; a single record may be larger."""
BATCH_SPANS = 512
BATCH_CHARACTERS = 1_000_000
"""Of one request: in UTF-8 that stays below 4 MiB, which every receiver takes."""
REOPEN_S = 30.0
"""Between two attempts to open a destination; what comes meanwhile waits in the queue."""
MAX_ERROR = 500

_log = logging.getLogger("failtrace")


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """What became of the spans for one destination."""

    destination: str
    waiting: int
    """Records not sent yet."""
    exported: int
    """Spans that the destination took."""
    dropped: int
    """Spans that it did not take, or that found the queue full."""
    last_error: str | None


class Sender:
    """One destination's queue, thread and counts. Whoever hands it a record never waits for the destination."""

    def __init__(self, destination: Destination, resource: Resource) -> None:
        self.destination = destination
        self._resource = resource
        self._change = threading.Condition()
        self._waiting: deque[TraceRecord] = deque()
        self._spans_waiting = 0
        self._taken = self._done = 0
        self._exported = self._dropped = 0
        self._last_error: str | None = None
        self._logged: set[str] = set()
        self._thread: threading.Thread | None = None
        self._stopping = self._given_up = False

    def again(self) -> Sender:
        """The same destination with an empty queue: a forked child's, whose copy of the thread is dead."""
        return Sender(self.destination, self._resource)

    def take(self, record: TraceRecord) -> None:
        """Queue a record, or drop and count it where the queue is full."""
        spans = _spans_in(record)
        with self._change:
            full = len(self._waiting) >= MAX_RECORDS or (self._waiting and self._spans_waiting + spans > MAX_SPANS)
            if full or self._stopping:
                self._dropped += spans
                return
            self._waiting.append(record)
            self._spans_waiting += spans
            self._taken += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="failtrace-tracing", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def flush(self, deadline: float) -> bool:
        """Wait until what was taken so far is sent or dropped, up to `deadline` (time.monotonic); whether it is."""
        with self._change:
            mark = self._taken
            return self._change.wait_for(lambda: self._done >= mark, max(0.0, deadline - time.monotonic()))

    def stop(self, deadline: float) -> bool:
        """Take nothing more, send what waits until `deadline`, then give the rest up; whether all was sent."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._change:
            self._given_up = True
            left = self._taken - self._done
        if left:
            _log.warning(
                "failtrace could not send the spans of the last %d executions to %s in time; their records are kept "
                "all the same.",
                left,
                self.destination.name,
            )
        return not left

    def status(self) -> DestinationStatus:
        """The counts of this moment."""
        with self._change:
            return DestinationStatus(
                self.destination.name, self._taken - self._done, self._exported, self._dropped, self._last_error
            )

    def _work(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        with Heard(self.destination.loggers) as heard:
            exporter: SpanExporter | None = None
            while records := self._next():
                exporter = exporter or self._open()
                sent = 0
                if exporter is not None:
                    sent = sum([self._send(exporter, batch, heard) for batch in batches(self._spans(records))])
                self._count(records, sent)
            if exporter is not None:
                self._close(exporter)

    def _next(self) -> list[TraceRecord]:
        """The records that have waited longest, about a request's worth; none once there will be no more."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._stopping)
            records: list[TraceRecord] = []
            spans = 0
            while self._waiting and spans < BATCH_SPANS and not self._given_up:
                records.append(self._waiting.popleft())
                spans += _spans_in(records[-1])
            self._spans_waiting -= spans
            return records

    def _open(self) -> SpanExporter | None:
        """The exporter, tried for until it opens; None when told to stop before that."""
        while True:
            try:
                return self.destination.open(self._resource)
            except Exception as error:  # noqa: BLE001  whatever a library or a network makes of it
                self._note_error(error)
            with self._change:
                if self._change.wait_for(lambda: self._stopping, REOPEN_S):
                    return None

    def _spans(self, records: list[TraceRecord]) -> Iterator[ReadableSpan]:
        for record in records:
            try:
                spans = spans_of(record, self._resource)
            except Exception as error:  # noqa: BLE001  a record that cannot be told must not end the thread
                self._note_error(error)
            else:
                yield from spans

    def _send(self, exporter: SpanExporter, batch: list[ReadableSpan], heard: Heard) -> int:
        """Hand a batch to the exporter; how many spans it took."""
        try:
            if exporter.export(batch) is SpanExportResult.SUCCESS:
                return len(batch)
            self._note(*heard.last("The exporter reported a failure and no reason."))
        except Exception as error:  # noqa: BLE001  an exporter may raise anything
            self._note_error(error)
        return 0

    def _close(self, exporter: SpanExporter) -> None:
        try:
            exporter.shutdown()
        except Exception as error:  # noqa: BLE001  an exporter may raise anything
            self._note_error(error)

    def _count(self, records: list[TraceRecord], sent: int) -> None:
        with self._change:
            self._exported += sent
            self._dropped += sum(map(_spans_in, records)) - sent
            self._done += len(records)
            self._change.notify_all()

    def _note_error(self, error: Exception) -> None:
        self._note(type(error).__name__, f"{type(error).__name__}: {error}")

    def _note(self, kind: str, message: str) -> None:
        """Keep an error as the last one; log the first of each kind."""
        text = sanitise_text(message, Marks(), MAX_ERROR)
        with self._change:
            self._last_error = text
            first = kind not in self._logged and not self._given_up
            self._logged.add(kind)
        if first:
            _log.warning(
                "failtrace could not send spans to %s: %s Further errors of this kind are counted in "
                "failtrace.tracing.status() and not logged; executions and their records are not touched.",
                self.destination.name,
                text,
            )


def batches(spans: Iterable[ReadableSpan]) -> Iterator[list[ReadableSpan]]:
    """Spans in requests of BATCH_SPANS and BATCH_CHARACTERS at most; a larger span goes alone."""
    batch: list[ReadableSpan] = []
    size = 0
    for span in spans:
        characters = _characters(span)
        if batch and (len(batch) == BATCH_SPANS or size + characters > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(span)
        size += characters
    if batch:
        yield batch


def _characters(span: ReadableSpan) -> int:
    """About how long a span is: its texts."""
    holders = [span.attributes, *(event.attributes for event in span.events)]
    values = [value for holder in holders for value in (holder or {}).values()]
    return len(span.name) + sum(len(value) if isinstance(value, str) else len(str(value)) for value in values)


def _spans_in(record: TraceRecord) -> int:
    return 1 + len(record.steps)

"""Five nested steps with a payload of 1 KB, recorded so that they survive `kill -9`, against spans kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import set_span_in_context

from benchmarks.harness import Goal, Row, in_time, interleave, times_floor, typical_of
from benchmarks.places import scratch
from failtrace import step
from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.journal import Segment
from failtrace.capture.tracing import PROCESSOR, remote_parent, take_process
from failtrace.detection.run import new_trace_id

PER_ROUND = 300
DEPTH = 5
SENTENCE = "The parcel left the depot on Tuesday and a courier will bring it to the customer by Friday noon. "
PAYLOAD = (SENTENCE * 11)[:1024]


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """Text payloads are the strict case: the floor stores them as they are, failtrace writes them as JSON."""
    with scratch() as folder:
        pairs = interleave(rounds, _memory_exporter, lambda: _journalled(folder))
    return (
        Row(
            what="capture of 5 nested steps with 1 KB each, crash-safe",
            floor="OpenTelemetry SDK, memory exporter",
            goal=Goal(must=2.0, aim=1.4, unit=" ×", reading=times_floor),
            pairs=pairs,
            scale=in_time,
        ),
    )


def _memory_exporter() -> float:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("benchmark")

    def nest(depth: int) -> None:
        if depth:
            with tracer.start_as_current_span("search", attributes={"input.value": PAYLOAD}):
                nest(depth - 1)

    return typical_of(PER_ROUND, lambda: nest(DEPTH))


def _journalled(folder: Path) -> float:
    with _execution(folder):
        return typical_of(PER_ROUND, lambda: _nest_steps(DEPTH))


def _nest_steps(depth: int) -> None:
    if depth:
        with step("search", kind="retrieval", input=PAYLOAD):
            _nest_steps(depth - 1)


@contextmanager
def _execution(folder: Path) -> Iterator[None]:
    """What the worker sets up around a subject."""
    trace_id = new_trace_id()
    segment = Segment.create(folder, trace_id)
    capture = Capture(segment.writer())
    take_process()
    PROCESSOR.attach_process(capture)
    current = CURRENT.set(capture)
    parent = otel_context.attach(set_span_in_context(remote_parent(trace_id, 1)))
    try:
        yield
    finally:
        otel_context.detach(parent)
        CURRENT.reset(current)
        segment.discard()

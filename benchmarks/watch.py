"""What `watch` takes from a host: of a call that does nothing, and of one with five steps of a small payload each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from benchmarks.harness import Goal, Pair, Row, in_time, interleave, times_floor, typical_of
from benchmarks.places import scratch
from failtrace import step, watch
from failtrace.recorder import finish

CALLS = 300
STEPS = 5
_ATTRIBUTES = {"openinference.span.kind": "TOOL", "input.value": '{"n":1}', "input.mime_type": "application/json"}


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """The floors are the same function unwatched, and the same spans with the same attributes kept in memory."""
    with _home():
        alone = interleave(rounds, lambda: _seconds(_work), lambda: _seconds(watch(_work)))
        steps = interleave(rounds, _memory_exporter, lambda: _seconds(watch(_with_steps)))
    return (
        Row(
            what="watch: a call of 1 µs that passes, no step",
            floor="the function itself",
            goal=Goal(must=10.0, aim=5.0, unit=" µs more", reading=_microseconds_more),
            pairs=alone,
            scale=in_time,
        ),
        Row(
            what="watch: a call that passes, five steps, crash-safe",
            floor="OpenTelemetry SDK, memory exporter",
            goal=Goal(must=2.5, aim=2.0, unit=" ×", reading=times_floor),
            pairs=steps,
            scale=in_time,
        ),
    )


def _microseconds_more(pair: Pair) -> float:
    return (pair.ours - pair.floor) * 1e6


def _work(value: int = 1) -> int:
    for _ in range(75):
        value += 1
    return value


def _with_steps(value: int = 1) -> int:
    for number in range(STEPS):
        with step("search", kind="tool", n=number):
            value += 1
    return value


def _memory_exporter() -> float:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    tracer = provider.get_tracer("benchmark")

    def spans() -> None:
        for _ in range(STEPS):
            with tracer.start_as_current_span("search", attributes=_ATTRIBUTES):
                pass

    return _seconds(spans)


def _seconds(function: Callable[[], Any]) -> float:
    return typical_of(CALLS, function)


@contextmanager
def _home() -> Iterator[None]:
    """A home of its own, and nothing of it left under way."""
    before = os.environ.get("FAILTRACE_HOME")
    with scratch() as folder:
        os.environ["FAILTRACE_HOME"] = str(folder)
        try:
            yield
        finally:
            finish()
            if before is None:
                del os.environ["FAILTRACE_HOME"]
            else:
                os.environ["FAILTRACE_HOME"] = before

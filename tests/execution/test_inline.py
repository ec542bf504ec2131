"""Inline isolation: for hosts that must not fork; it changes nothing of theirs and says what it cannot enforce."""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from support import zoo

from failtrace import run_with_failure_detection, step
from failtrace.capture.capture import CURRENT
from failtrace.contracts import EndedBy, FailureType, TimedOut, TraceRecord
from failtrace.settings import Settings


def run(subject: Any, value: Any = None, **options: Any) -> TraceRecord:
    return run_with_failure_detection(subject, value, isolation="inline", **options)[1]


def compute_until(moment: float) -> str:
    while time.monotonic() < moment:
        pass
    return "late"


def interrupt(_: Any) -> None:
    raise KeyboardInterrupt


async def hang(_: Any) -> None:
    with step("waiting"):
        await asyncio.get_running_loop().create_future()


def test_a_late_subject_is_a_timeout_that_was_not_enforced() -> None:
    """Code that never awaits runs to its end; the record says that the limit could only be noticed."""
    record = run(compute_until, time.monotonic() + 0.02, timeout=0.001)

    assert isinstance(record.outcome, TimedOut)
    assert record.failure is not None
    assert (record.failure.failure_type, record.outcome.enforced) == (FailureType.TIMEOUT, False)
    assert record.outcome.elapsed_s > record.outcome.limit_s
    assert "could not end it earlier" in record.failure.message


def test_a_coroutine_is_ended_at_its_deadline() -> None:
    """Async code gets a cancel, and the record the stacks of the waiting tasks."""
    record = run(hang, timeout=0.01)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced
    assert record.outcome.termination is None
    assert "in hang" in record.outcome.stacks
    assert [(item.name, item.ended_by) for item in record.steps] == [("waiting", EndedBy.TIMEOUT)]


def test_a_keyboard_interrupt_passes_through() -> None:
    """It is the host's, and leaves no segment behind."""
    with pytest.raises(KeyboardInterrupt):
        run(interrupt)

    assert list(Settings.load().journal_path.iterdir()) == []


def test_a_subject_in_a_running_event_loop() -> None:
    """A host that is async itself can run async subjects inline."""

    async def host() -> TraceRecord:
        return run(zoo.double_later, 4)

    assert asyncio.run(host()).output == 8


def test_the_host_is_left_as_it_was() -> None:
    """No handler, context, thread or tracer provider of the host is changed by an execution."""
    before = (logging.getLogger().handlers[:], threading.active_count(), trace.get_tracer_provider(), CURRENT.get())

    run(zoo.talk)
    run(zoo.complain, "no")

    assert (
        logging.getLogger().handlers[:], threading.active_count(), trace.get_tracer_provider(), CURRENT.get()
    ) == before  # fmt: skip


def test_steps_of_concurrent_executions_do_not_mix() -> None:
    """Each execution has its own steps, those of tasks and of the host's other spans left out."""
    records: list[TraceRecord] = []

    def work() -> None:
        records.append(run(zoo.steps_in_tasks))

    threads = [threading.Thread(target=work) for _ in range(4)]
    with TracerProvider(shutdown_on_exit=False).get_tracer("host").start_as_current_span("the host's own"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [sorted(item.name for item in record.steps) for record in records] == [
        ["first", "outer", "second", "third"]
    ] * 4

"""Inline isolation: for hosts that must not fork; it changes nothing of theirs and says what it cannot enforce."""

import asyncio
import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from support import zoo

from failtrace import run_with_failure_detection, step
from failtrace.capture.capture import CURRENT
from failtrace.contracts import EndedBy, FailureType, TimedOut, TraceRecord
from failtrace.execution import header, inline
from failtrace.settings import Settings


def run(subject: Any, value: Any = None, **options: Any) -> TraceRecord:
    return run_with_failure_detection(subject, value, isolation="inline", **options)[1]


def compute_for(seconds: float) -> str:
    moment = time.monotonic() + seconds
    while time.monotonic() < moment:
        pass
    return "late"


def interrupt(_: Any) -> None:
    raise KeyboardInterrupt


def raise_late(seconds: float) -> None:
    with step("working"):
        compute_for(seconds)
    raise ValueError("too late, and wrong")


async def raise_at_the_cancel(_: Any) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        raise ValueError("while cleaning up") from None


async def swallow_every_cancel(also: str) -> None:
    async def stubborn() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.get_running_loop().create_future()

    if also == "in a task of its own":
        _kept.append(asyncio.ensure_future(stubborn()))
        await asyncio.sleep(0)
    else:
        await stubborn()


_kept: list[Any] = []


async def hang(_: Any) -> None:
    with step("waiting"):
        await asyncio.get_running_loop().create_future()


def test_a_late_subject_is_a_timeout_that_was_not_enforced() -> None:
    """Code that never awaits runs to its end; the record says that the limit could only be noticed."""
    record = run(compute_for, 0.02, timeout=0.001)

    assert isinstance(record.outcome, TimedOut)
    assert record.failure is not None
    assert (record.failure.failure_type, record.outcome.enforced) == (FailureType.TIMEOUT, False)
    assert record.outcome.elapsed_s > record.outcome.limit_s
    assert "nothing could end it earlier" in record.failure.message


def test_a_coroutine_is_ended_at_its_deadline() -> None:
    """Async code gets a cancel, and the record the stacks of the waiting tasks."""
    record = run(hang, timeout=0.01)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced
    assert record.outcome.termination is None
    assert "in hang" in record.outcome.stacks
    assert [(item.name, item.ended_by) for item in record.steps] == [("waiting", EndedBy.TIMEOUT)]


def test_what_a_late_subject_raised_is_told() -> None:
    """It is a timeout first, and the exception is in the failure; its steps ended by themselves."""
    record = run(raise_late, 0.02, timeout=0.001)

    assert record.failure is not None
    assert record.failure.error is not None
    assert (record.failure.failure_type, record.failure.error.type) == (FailureType.TIMEOUT, "ValueError")
    assert record.failure.message.endswith("It then raised ValueError: too late, and wrong")
    assert [item.ended_by for item in record.steps] == [EndedBy.ITSELF]


def test_what_a_cancelled_coroutine_raised_is_told() -> None:
    """The deadline ended it, and its own exception is not lost."""
    record = run(raise_at_the_cancel, timeout=0.01)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced
    assert "in raise_at_the_cancel" in record.outcome.stacks
    assert record.failure is not None
    assert record.failure.error is not None
    assert record.failure.error.message == "while cleaning up"


@pytest.mark.parametrize("where", ["in its own task", "in a task of its own"])
@pytest.mark.parametrize("in_a_loop", [False, True])
def test_a_coroutine_that_swallows_its_cancel_does_not_keep_the_host(
    monkeypatch: pytest.MonkeyPatch, where: str, in_a_loop: bool
) -> None:
    """After a bounded time it is left where it waits."""
    monkeypatch.setattr(inline, "CANCEL_GRACE_S", 0.01)

    async def host() -> TraceRecord:
        return run(swallow_every_cancel, where, timeout=0.05)

    record = asyncio.run(host()) if in_a_loop else run(swallow_every_cancel, where, timeout=0.05)

    assert record.outcome.kind == ("timed_out" if where == "in its own task" else "returned")


def test_a_keyboard_interrupt_passes_through() -> None:
    """It is the host's, and leaves no segment behind."""
    with pytest.raises(KeyboardInterrupt):
        run(interrupt)

    with pytest.raises(KeyboardInterrupt):
        run(zoo.no_input, evidence=interrupt)

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
    """Each execution has its own steps and log lines, those of tasks and of the host's other spans left out."""
    records: list[TraceRecord] = []
    all_here = threading.Barrier(4)

    def subject(_: Any) -> Any:
        all_here.wait(timeout=30)
        logging.getLogger("zoo").warning("once")
        all_here.wait(timeout=30)
        return zoo.steps_in_tasks(_)

    def work() -> None:
        records.append(run(subject))

    threads = [threading.Thread(target=work) for _ in range(4)]
    with TracerProvider(shutdown_on_exit=False).get_tracer("host").start_as_current_span("the host's own"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [sorted(item.name for item in record.steps) for record in records] == [
        ["first", "outer", "second", "third"]
    ] * 4
    assert [[line.message for line in record.logs.lines] for record in records] == [["once"]] * 4


def test_a_git_that_does_not_answer_leaves_dirtiness_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed `git status` is no sign of changes."""
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\n[ $1 = rev-parse ] && echo 0123abc && exit 0\nexit 128\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    told = header.host_environment.__wrapped__()

    assert (told["git_commit"], told["git_dirty"]) == ("0123abc", None)

"""The inline executor: the subject runs in the caller's own process and thread, for hosts that must not fork.

It changes nothing of the host's: no descriptor, no directory, no tracer provider. What that costs is said in the
record: a deadline is noticed, not enforced, for code that never awaits; there is no memory limit and no output tail.
A coroutine is cancelled at its deadline; one that swallows that has CANCEL_GRACE_S and is then left where it waits,
its event loop closed. What it gave to other threads goes on there.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import random
import threading
import time
from collections.abc import Coroutine
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.journal import Segment
from failtrace.capture.logs import CaptureHandler
from failtrace.capture.tracing import PROCESSOR, remote_parent
from failtrace.execution.header import journal_is_full, open_segment
from failtrace.execution.invoke import call, collect, is_async, settle, task_stacks
from failtrace.execution.outcome import gather_evidence, raised_line, returned_line
from failtrace.execution.request import ExecutionRequest, Isolation

CANCEL_GRACE_S = 1.0
"""Seconds that cancelled tasks have to clean up."""

_abandoned: list[asyncio.Task[Any]] = []
"""Tasks that did not end: kept, for one that is thrown away while it waits is run once more to close it."""


class InlineExecutor:
    """Runs subjects where they are."""

    isolation: Isolation = "inline"

    def execute(self, request: ExecutionRequest) -> Segment:
        """See Executor. A KeyboardInterrupt of the host passes through; SystemExit is the subject's failure."""
        segment = open_segment(request, self.isolation)
        capture = Capture(segment.writer())
        PROCESSOR.attach(request.trace_id, capture)
        try:
            contextvars.copy_context().run(_Run(request, capture).into_journal)
        except BaseException:
            segment.discard()
            raise
        finally:
            PROCESSOR.detach(request.trace_id)
        return segment


class _Run:
    """One call of the subject in this thread."""

    def __init__(self, request: ExecutionRequest, capture: Capture) -> None:
        self._request = request
        self._capture = capture
        self._start = time.monotonic()
        self._expired = False

    def into_journal(self) -> None:
        """Run, and write what came of it."""
        CURRENT.set(self._capture)
        otel_context.attach(set_span_in_context(remote_parent(self._request.trace_id, random.getrandbits(63) + 1)))
        handler = CaptureHandler(self._capture)
        logging.getLogger().addHandler(handler)
        try:
            self._capture.write({"k": "begin", "t": time.time_ns()})
            line = self._outcome()
            if line is not None:
                lost = self._capture.journal.lost_lines
                self._capture.write(line)
                if self._capture.journal.lost_lines > lost:
                    raise journal_is_full(self._request)
        finally:
            logging.getLogger().removeHandler(handler)

    def _outcome(self) -> dict[str, Any] | None:
        """The `outcome` line, marked late past the deadline; None where the deadline ended a coroutine."""
        capture, subject, value = self._capture, self._request.subject, self._request.input
        evidence = gather_evidence(capture, subject, value, interruptible=True)
        try:
            result = call(subject.function, value)
            result = self._await(result) if is_async(result) else collect(result)
        except KeyboardInterrupt:
            raise
        # The edge of the subject: what it raises is its outcome, SystemExit included.
        except BaseException as error:  # noqa: BLE001
            if self._expired and isinstance(error, asyncio.CancelledError):
                return None
            line = raised_line(capture, error, self._elapsed_ms())
        else:
            if self._expired:
                return None
            line = returned_line(capture, subject, evidence, result, self._elapsed_ms(), interruptible=True)
        return {**line, "late": self._expired or line["ms"] > self._request.timeout * 1000}

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._start) * 1000

    def _await(self, result: Any) -> Any:
        """In an event loop of its own; where the caller's thread already runs one, in a thread beside it."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _run_in_loop(self._settle(result))
        box: list[Any] = []
        context = contextvars.copy_context()
        beside = threading.Thread(target=lambda: box.append(_caught(context, self._settle(result))))
        beside.start()
        beside.join()
        settled, error = box[0]
        if error is not None:
            raise error
        return settled

    async def _settle(self, result: Any) -> Any:
        task = asyncio.ensure_future(settle(result))
        left = max(0.0, self._request.timeout - (time.monotonic() - self._start))
        done, _ = await asyncio.wait({task}, timeout=left)
        if not done:
            self._expired = True
            stacks = task_stacks(asyncio.get_running_loop())
            self._capture.write({"k": "deadline", "t": time.time_ns(), "stacks": stacks})
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=CANCEL_GRACE_S)
        return task.result() if done else None


def _run_in_loop(main: Coroutine[Any, Any, Any]) -> Any:
    """As `asyncio.run`, which waits for ever where a task does not end."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        with contextlib.closing(loop):
            _wind_down(loop)


def _wind_down(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    closing = loop.create_task(loop.shutdown_asyncgens())
    _, stuck = loop.run_until_complete(_wait({*left, closing}))
    _abandoned.extend(stuck)


async def _wait(tasks: set[asyncio.Task[Any]]) -> tuple[set[asyncio.Task[Any]], set[asyncio.Task[Any]]]:
    return await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)


def _caught(context: contextvars.Context, coroutine: Any) -> tuple[Any, BaseException | None]:
    """The coroutine's result or its exception, out of a loop in this thread."""
    try:
        return context.run(_run_in_loop, coroutine), None
    # Carried over to the waiting thread, which raises it again.
    except BaseException as error:  # noqa: BLE001
        return None, error

"""The inline executor: the subject runs in the caller's own process and thread, for hosts that must not fork.

It changes nothing of the host's: no descriptor, no directory, no tracer provider. What that costs is said in the
record: a deadline is noticed, not enforced, for code that never awaits; there is no memory limit and no output tail.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import threading
import time
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.journal import Segment
from failtrace.capture.logs import CaptureHandler
from failtrace.capture.tracing import PROCESSOR, remote_parent
from failtrace.execution.header import open_segment
from failtrace.execution.invoke import call, collect, is_async, settle, task_stacks
from failtrace.execution.outcome import raised_line, returned_line
from failtrace.execution.request import ExecutionRequest, Isolation


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
        handler = CaptureHandler()
        logging.getLogger().addHandler(handler)
        try:
            self._capture.journal.write({"k": "begin", "t": time.time_ns()})
            line = self._outcome()
            if line is not None:
                self._capture.journal.write(line)
        finally:
            logging.getLogger().removeHandler(handler)

    def _outcome(self) -> dict[str, Any] | None:
        """The `outcome` line, marked late past the deadline; None where the deadline cancelled a coroutine."""
        subject, value = self._request.subject, self._request.input
        try:
            result = call(subject.function, value)
            result = self._await(result) if is_async(result) else collect(result)
        except KeyboardInterrupt:
            raise
        # The edge of the subject: what it raises is its outcome, SystemExit included.
        except BaseException as error:  # noqa: BLE001
            line = raised_line(self._capture, error, self._elapsed_ms())
        else:
            line = returned_line(self._capture, subject, value, result, self._elapsed_ms())
        if self._expired:
            return None
        return {**line, "late": line["ms"] > self._request.timeout * 1000}

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._start) * 1000

    def _await(self, result: Any) -> Any:
        """In an event loop of its own; where the caller's thread already runs one, in a thread beside it."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._settle(result))
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
            self._capture.journal.write({"k": "deadline", "t": time.time_ns(), "stacks": stacks})
            task.cancel()
        return await task


def _caught(context: contextvars.Context, coroutine: Any) -> tuple[Any, BaseException | None]:
    """The coroutine's result or its exception, out of a loop in this thread."""
    try:
        return context.run(asyncio.run, coroutine), None
    # Carried over to the waiting thread, which raises it again.
    except BaseException as error:  # noqa: BLE001
        return None, error

"""Inside the fresh process: load the subject, run it, check it, write the outcome, and leave."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.journal import JournalWriter
from failtrace.capture.logs import capture_process_logging
from failtrace.capture.threads import carry_context_into_threads
from failtrace.capture.tracing import PROCESSOR, remote_parent, take_process
from failtrace.errors import FailtraceError
from failtrace.execution.invoke import call, collect, is_async, settle, task_stacks
from failtrace.execution.limits import limit_memory
from failtrace.execution.outcome import raised_line, returned_line
from failtrace.execution.payload import unpack
from failtrace.execution.protocol import Message
from failtrace.subjects.subject import Subject

STARTED = b"S"
JOURNAL_LOST = b"L"
CANCEL_GRACE_S = 0.008
"""What a cancelled coroutine has to clean up, before the watchdog ends the process all the same."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the supervisor hands to the process."""

    journal: int
    stdout: int
    stderr: int
    status: int
    stacks: int


def run_worker(message: Message, descriptors: Descriptors) -> None:
    """The whole life of a subject's process; ends it."""
    head = message.head
    _settle_in(head, descriptors)
    capture = Capture(JournalWriter(descriptors.journal))
    _start_capture(capture, head["trace_id"])
    own_pid = os.getpid()
    try:
        subject, value = unpack(message.blob)
    except FailtraceError as error:
        written = capture.journal.write({"k": "unloadable", "message": str(error)})
    else:
        if subject.memory_limit_bytes is not None:
            limit_memory(subject.memory_limit_bytes)
        capture.journal.write({"k": "begin", "t": time.time_ns()})
        os.write(descriptors.status, STARTED)
        line = _Run(subject, head["timeout"], capture, descriptors.stacks).outcome(value)
        if os.getpid() != own_pid:
            # The subject forked and its child came back here: it has no outcome of its own.
            os._exit(0)
        written = line is None or capture.journal.write(line)
    _flush()
    if not written:
        os.write(descriptors.status, JOURNAL_LOST)
    os._exit(0)


def _settle_in(head: dict[str, Any], descriptors: Descriptors) -> None:
    """Take the caller's place: directory, path, environment; output into the supervisor's pipes."""
    os.dup2(descriptors.stdout, 1)
    os.dup2(descriptors.stderr, 2)
    # Line buffered, so that what was printed before a sudden end is in the record.
    sys.stdout = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    # A private copy: the subject may close descriptor 2, the reason of a crash must still find its way.
    faulthandler.enable(file=os.dup(2), all_threads=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if head["environment"] is not None:
        os.environ.clear()
        os.environ.update(head["environment"])
    sys.path[:] = head["sys_path"]
    # Where the caller's directory is gone, the subject finds out when it needs it.
    with contextlib.suppress(OSError):
        os.chdir(head["cwd"])
    random.seed()
    gc.enable()


def _start_capture(capture: Capture, trace_id: str) -> None:
    PROCESSOR.attach_process(capture)
    take_process()
    CURRENT.set(capture)
    carry_context_into_threads()
    capture_process_logging(capture)
    otel_context.attach(set_span_in_context(remote_parent(trace_id, random.getrandbits(63) + 1)))


def _flush() -> None:
    """What was printed goes out. The streams may be the subject's own objects by now, which may raise anything."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


class _Run:
    """One call of the subject under its deadline."""

    def __init__(self, subject: Subject, timeout: float, capture: Capture, stacks_fd: int) -> None:
        self._subject = subject
        self._capture = capture
        self._stacks_fd = stacks_fd
        self._start = time.monotonic()
        self._deadline = self._start + timeout
        self._expired = False

    def outcome(self, value: Any) -> dict[str, Any] | None:
        """The `outcome` line; None where the deadline passed and a cancelled coroutine came back after it."""
        self._watchdog()
        try:
            result = call(self._subject.function, value)
            result = self._await(result) if is_async(result) else collect(result)
        # The edge of the subject: what it raises is its outcome, SystemExit and KeyboardInterrupt included.
        except BaseException as error:  # noqa: BLE001
            line = None if self._expired else raised_line(self._capture, error, self._elapsed_ms())
        else:
            line = (
                None
                if self._expired
                else returned_line(self._capture, self._subject, value, result, self._elapsed_ms())
            )
        faulthandler.cancel_dump_traceback_later()
        return line

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._start) * 1000

    def _watchdog(self, grace: float = 0.0) -> None:
        """At the deadline a C-level thread writes all stacks and ends the process, whoever holds the GIL."""
        left = max(0.001, self._deadline + grace - time.monotonic())
        faulthandler.dump_traceback_later(left, exit=True, file=self._stacks_fd)

    def _await(self, result: Any) -> Any:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            self._watchdog(grace=CANCEL_GRACE_S)
            task = loop.create_task(settle(result))
            loop.call_later(max(0.0, self._deadline - time.monotonic()), self._expire, loop, task)
            settled = loop.run_until_complete(task)
            if not self._expired:
                self._watchdog()
            return settled

    def _expire(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        self._expired = True
        stacks = task_stacks(loop)
        faulthandler.dump_traceback(file=self._stacks_fd, all_threads=True)
        self._capture.journal.write({"k": "deadline", "t": time.time_ns(), "stacks": stacks})
        task.cancel()

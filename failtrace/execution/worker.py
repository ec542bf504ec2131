"""Inside the fresh process: load the subject, run it, check it, write the outcome, and leave."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import faulthandler
import os
import random
import signal
import sys
from time import monotonic, time_ns  # bound now: a subject may replace those of the module
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.logs import capture_process_logging
from failtrace.capture.threads import carry_context_into_threads
from failtrace.capture.tracing import PROCESSOR, remote_parent, take_process
from failtrace.errors import FailtraceError
from failtrace.execution.descriptors import Descriptors, GuardedJournal, duplicate_high
from failtrace.execution.invoke import call, collect, is_async, settle, task_stacks
from failtrace.execution.limits import MemoryLimit
from failtrace.execution.outcome import gather_evidence, raised_line, returned_line
from failtrace.execution.payload import unpack
from failtrace.execution.protocol import Message
from failtrace.subjects.subject import Subject

STARTED = b"S"
JOURNAL_LOST = b"L"
EXIT_LIMIT_S = 2.0
"""Seconds for what runs at the process's exit; the outcome is in the journal by then."""
CANCEL_GRACE_S = 0.008
"""What a cancelled coroutine has to clean up, before the watchdog ends the process all the same."""


def run_worker(message: Message, descriptors: Descriptors) -> None:
    """The whole life of a subject's process; ends it."""
    head = message.head
    _settle_in(head, descriptors)
    capture = Capture(GuardedJournal(descriptors.journal, head["journal"]))
    _start_capture(capture, head["trace_id"])
    try:
        subject, value = unpack(message.blob)
    except FailtraceError as error:
        written = capture.journal.write({"k": "unloadable", "message": str(error)})
    else:
        capture.journal.write({"k": "begin", "t": time_ns()})
        os.write(descriptors.status, STARTED)
        line = _Run(subject, head["timeout"], capture, descriptors.stacks).outcome(value)
        written = line is None or capture.journal.write(line)
        _run_exit_functions(descriptors.stacks)
    _flush()
    if not written:
        # The subject may have closed this descriptor too.
        with contextlib.suppress(OSError):
            os.write(descriptors.status, JOURNAL_LOST)
    os._exit(0)


def _settle_in(head: dict[str, Any], descriptors: Descriptors) -> None:
    """Take the caller's place: directory, path, environment; output into the supervisor's pipes."""
    for stream, number in ((descriptors.stdout, 1), (descriptors.stderr, 2)):
        os.dup2(stream, number)
        os.close(stream)
    # Line buffered, so that what was printed before a sudden end is in the record.
    sys.stdout = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    # A private copy: the subject may close descriptor 2, the reason of a crash must still find its way.
    faulthandler.enable(file=duplicate_high(2), all_threads=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if head["environment"] != dict(os.environ):
        os.environ.clear()
        os.environ.update(head["environment"])
    sys.path[:] = head["sys_path"]
    # Where the caller's directory is gone, the subject finds out when it needs it.
    with contextlib.suppress(OSError):
        os.chdir(head["cwd"])
    random.seed()


def _start_capture(capture: Capture, trace_id: str) -> None:
    PROCESSOR.attach_process(capture)
    take_process()
    CURRENT.set(capture)
    carry_context_into_threads()
    capture_process_logging(capture)
    otel_context.attach(set_span_in_context(remote_parent(trace_id, random.getrandbits(63) + 1)))


def _run_exit_functions(stacks_fd: int) -> None:
    """What the subject registered with `atexit` (temporary folders, exporters) has its turn, but not for ever."""
    faulthandler.dump_traceback_later(EXIT_LIMIT_S, exit=True, file=stacks_fd)
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()


def _flush() -> None:
    """What was printed goes out. The streams may be the subject's own objects by now, which may raise anything."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


class _Run:
    """One call of the subject under its deadline."""

    def __init__(self, subject: Subject, timeout: float, capture: Capture, stacks_fd: int) -> None:
        self._subject = subject
        self._capture = capture
        self._memory = MemoryLimit()
        self._stacks_fd = stacks_fd
        self._start, self._started_at = monotonic(), time_ns()
        self._deadline = self._start + timeout
        self._expired = False
        self._pid = os.getpid()

    def outcome(self, value: Any) -> dict[str, Any] | None:
        """The `outcome` line; None where the deadline passed and a cancelled coroutine came back after it."""
        self._watchdog()
        evidence = gather_evidence(self._capture, self._subject, value)
        self._memory.impose(self._subject.memory_limit_bytes)
        try:
            result = self._result(value)
        # The edge of the subject: what it raises is its outcome, SystemExit and KeyboardInterrupt included.
        except BaseException as error:  # noqa: BLE001
            line = None if self._expired else raised_line(self._capture, error, self._elapsed_ms())
        else:
            line = (
                None
                if self._expired
                else returned_line(self._capture, self._subject, evidence, result, self._elapsed_ms())
            )
        faulthandler.cancel_dump_traceback_later()
        # The `begin` line was written before the clock ran, and writing it may have cost a turn of the processor.
        return line and {**line, "began": self._started_at}

    def _result(self, value: Any) -> Any:
        """What the subject gives. Its memory limit ends with it: what it came to must still be described."""
        try:
            result = call(self._subject.function, value)
            return self._await(result) if is_async(result) else collect(result)
        finally:
            self._memory.end()
            self._end_of_subject()

    def _end_of_subject(self) -> None:
        """What it left armed must not strike what comes after it."""
        if os.getpid() != self._pid:
            # The subject forked and its child came back here: it has no outcome of its own.
            _flush()
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _elapsed_ms(self) -> float:
        return (monotonic() - self._start) * 1000

    def _watchdog(self, grace: float = 0.0) -> None:
        """At the deadline a C-level thread writes all stacks and ends the process, whoever holds the GIL."""
        left = max(0.001, self._deadline + grace - monotonic())
        faulthandler.dump_traceback_later(left, exit=True, file=self._stacks_fd)

    def _await(self, result: Any) -> Any:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            self._watchdog(grace=CANCEL_GRACE_S)
            task = loop.create_task(settle(result))
            loop.call_later(max(0.0, self._deadline - monotonic()), self._expire, loop, task)
            settled = loop.run_until_complete(task)
            if not self._expired:
                self._watchdog()
            return settled

    def _expire(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        self._expired = True
        stacks = task_stacks(loop)
        faulthandler.dump_traceback(file=self._stacks_fd, all_threads=True)
        self._capture.write({"k": "deadline", "t": time_ns(), "stacks": stacks})
        task.cancel()

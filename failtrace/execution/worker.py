"""Inside the fresh process: load the subject, run it, check it, write the outcome, and leave."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import faulthandler
import json
import os
import random
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic, time_ns  # bound now: a subject may replace those of the module
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.logs import capture_process_logging
from failtrace.capture.redaction import keep_up, tell_what_is_learnt
from failtrace.capture.sanitiser import sanitise_text
from failtrace.capture.threads import carry_context_into_threads
from failtrace.capture.tracing import PROCESSOR, remote_parent, take_process
from failtrace.capture.uncharged import leave_uncharged
from failtrace.errors import FailtraceError
from failtrace.execution.descriptors import Descriptors, GuardedJournal, duplicate_high
from failtrace.execution.invoke import call, collect, is_async, settle, task_stacks
from failtrace.execution.limits import CpuLimit, MemoryLimit, met_memory_limit
from failtrace.execution.outcome import gather_evidence, raised_line, returned_line
from failtrace.execution.payload import unpack
from failtrace.execution.protocol import Message
from failtrace.start_directory import START
from failtrace.subjects.limits import Breach, LimitName
from failtrace.subjects.subject import Subject

STARTED = b"S"
SUBJECT_ENDED = b"E"
JOURNAL_LOST = b"L"
LEARNT = re.compile(rb"k([0-9a-f]+)\n")
"""Texts that are secrets of the subject since it set them in its environment; in hex, which has none of the above."""
EXIT_AT_LIMIT = 71
"""The step limit was met; the journal says so."""
EXIT_LIMIT_S = 2.0
"""Seconds for what runs at the process's exit; the outcome is in the journal by then."""
CANCEL_GRACE_S = 0.008
"""What a cancelled coroutine has to clean up, before the watchdog ends the process all the same."""


def run_worker(message: Message, descriptors: Descriptors) -> None:
    """The whole life of a subject's process; ends it."""
    head = message.head
    _settle_in(head, descriptors)
    capture = Capture(GuardedJournal(descriptors.journal, head["journal"]))
    _limit_steps(capture, head["limits"], descriptors.stacks)
    _start_capture(capture, head["trace_id"])
    tell_what_is_learnt(partial(_tell_supervisor, descriptors.status))
    try:
        subject, value = unpack(message.blob)
    except FailtraceError as error:
        written = capture.journal.write({"k": "unloadable", "message": sanitise_text(str(error), capture.marks)})
    else:
        keep_up()
        capture.journal.write({"k": "begin", "t": time_ns()})
        os.write(descriptors.status, STARTED)
        line = _Run(subject, head, capture, descriptors).outcome(value)
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
    START.path = head["start"]
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


def _tell_supervisor(status_fd: int, forms: Sequence[str]) -> None:
    """It redacts what the process prints. The descriptor may be closed by the subject; then it knows less."""
    with contextlib.suppress(OSError):
        os.write(status_fd, b"k%s\n" % json.dumps(forms).encode().hex().encode())


def _limit_steps(capture: Capture, limits: Mapping[LimitName, float], stacks_fd: int) -> None:
    """The process ends where its subject begins one step too many: an exception could be caught, and it go on."""
    limit = limits.get("step_limit")
    if limit is None:
        return

    def end() -> None:
        breach = Breach("step_limit", limit, limit + 1)
        capture.write({"k": "limit", "t": time_ns(), **breach._asdict()})
        faulthandler.dump_traceback(file=stacks_fd, all_threads=True)
        _flush()
        os._exit(EXIT_AT_LIMIT)

    capture.limit_steps(int(limit), end)


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

    def __init__(self, subject: Subject, head: dict[str, Any], capture: Capture, descriptors: Descriptors) -> None:
        self._subject = subject
        self._limits: dict[LimitName, float] = head["limits"]
        self._imposed: list[CpuLimit | MemoryLimit] = []
        self._capture = capture
        self._stacks_fd, self._status_fd = descriptors.stacks, descriptors.status
        self._start, self._started_at = monotonic(), time_ns()
        self._deadline = self._start + head["timeout"]
        self._expired = False
        self._pid = os.getpid()

    def outcome(self, value: Any) -> dict[str, Any] | None:
        """The `outcome` line; None where the deadline passed and a cancelled coroutine came back after it."""
        self._watchdog()
        evidence = gather_evidence(self._capture, self._subject, value)
        self._impose_limits()
        try:
            result = self._result(value)
        # The edge of the subject: what it raises is its outcome, SystemExit and KeyboardInterrupt included.
        except BaseException as error:  # noqa: BLE001
            keep_up()
            line = None if self._expired else self._raised(error)
        else:
            keep_up()
            line = (
                None
                if self._expired
                else returned_line(self._capture, self._subject, evidence, result, self._elapsed_ms())
            )
        faulthandler.cancel_dump_traceback_later()
        # The `begin` line was written before the clock ran, and writing it may have cost a turn of the processor.
        return line and {**line, "began": self._started_at}

    def _impose_limits(self) -> None:
        """Those that this process can keep of itself; a SIGXCPU, whoever sends it, writes the stacks and ends it."""
        limits = self._limits
        if "cpu_limit_s" in limits or "output_limit_bytes" in limits:
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            faulthandler.register(signal.SIGXCPU, file=self._stacks_fd, all_threads=True, chain=True)
        if "cpu_limit_s" in limits:
            self._imposed.append(CpuLimit(limits["cpu_limit_s"]))
        if "memory_limit_bytes" in limits:
            memory = MemoryLimit(limits["memory_limit_bytes"])
            leave_uncharged(memory.lift, memory.lower)
            self._imposed.append(memory)

    def _raised(self, error: BaseException) -> dict[str, Any]:
        line = raised_line(self._capture, error, self._elapsed_ms())
        limit = self._limits.get("memory_limit_bytes")
        if limit is not None and met_memory_limit(error):
            line["limit"] = Breach("memory_limit_bytes", limit, None)._asdict()
        return line

    def _result(self, value: Any) -> Any:
        """What the subject gives. Its limits end with it: what it came to must still be described."""
        try:
            result = call(self._subject.function, value)
            return self._await(result) if is_async(result) else collect(result)
        finally:
            for limit in self._imposed:
                limit.end()
            self._end_of_subject()

    def _end_of_subject(self) -> None:
        """What it left armed must not strike what comes after it."""
        if os.getpid() != self._pid:
            # The subject forked and its child came back here: it has no outcome of its own.
            _flush()
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if "cpu_limit_s" in self._limits:
            with contextlib.suppress(OSError):
                os.write(self._status_fd, SUBJECT_ENDED)

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

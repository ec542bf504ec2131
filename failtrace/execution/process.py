"""The process executor: each execution in a fresh process that nothing is shared with."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from typing import Any

from failtrace.capture.journal import Segment
from failtrace.errors import ExecutionError
from failtrace.execution.forkserver import forkserver, surroundings
from failtrace.execution.header import open_segment
from failtrace.execution.payload import pack
from failtrace.execution.protocol import Message, receive, send
from failtrace.execution.request import ExecutionRequest, Isolation
from failtrace.subjects.loading import importable_source

ABORT_LIMIT_S = 5.0
"""Seconds the supervisor has to end a subject whose execution was given up."""


class ProcessExecutor:
    """Runs subjects in processes of their own. `abort` ends those that run, from another thread."""

    isolation: Isolation = "process"

    def __init__(self) -> None:
        self._running: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._aborted = False

    def execute(self, request: ExecutionRequest) -> Segment:
        """See Executor. A KeyboardInterrupt passes through, with the subject's process gone."""
        blob = pack(request.subject, request.input)
        module = request.subject.module if importable_source(request.subject) else None
        segment = open_segment(request, self.isolation)
        try:
            answer = self._run(request, module, blob, segment)
            self._check(request, answer)
        # Given up, by an interrupt or by an error of ours: no half segment may look like a lost execution.
        except BaseException:
            segment.discard()
            raise
        return segment

    def abort(self) -> None:
        """End every running execution; their `execute` raises ExecutionError, as does each later one."""
        with self._lock:
            self._aborted = True
            for supervisor in self._running:
                _hang_up(supervisor)

    def _run(self, request: ExecutionRequest, module: str | None, blob: bytes, segment: Segment) -> Message | None:
        server = forkserver()
        supervisor = server.lease(module)
        with self._lock:
            self._running.add(supervisor)
            if self._aborted:
                _hang_up(supervisor)
        finished = False
        try:
            answer = self._ask(supervisor, request, blob, segment)
            finished = answer is not None
        finally:
            with self._lock:
                self._running.discard(supervisor)
            if finished:
                server.release(supervisor)
            else:
                _end(supervisor)
        return answer

    @staticmethod
    def _ask(supervisor: socket.socket, request: ExecutionRequest, blob: bytes, segment: Segment) -> Message | None:
        head: dict[str, Any] = {
            "trace_id": request.trace_id,
            "timeout": request.timeout,
            "environment": dict(os.environ),
            **surroundings(),
        }
        try:
            send(supervisor, head, blob, fds=(segment.fd,))
        except OSError:
            return None
        return receive(supervisor)

    def _check(self, request: ExecutionRequest, answer: Message | None) -> None:
        if self._aborted:
            raise ExecutionError(
                f"The execution of {request.subject.name!r} was given up before it ended; run it again."
            )
        if answer is not None and answer.head["journal_lost"]:
            raise ExecutionError(
                f"Cannot record the execution of {request.subject.name!r}: the journal in {str(request.journal)!r} "
                "takes no more (is the disk full?); make room and run it again."
            )


def _hang_up(supervisor: socket.socket) -> None:
    # Already gone is as good.
    with contextlib.suppress(OSError):
        supervisor.shutdown(socket.SHUT_WR)


def _end(supervisor: socket.socket) -> None:
    """Hang up, and wait until the supervisor has ended its subject and itself."""
    with contextlib.suppress(OSError):
        supervisor.shutdown(socket.SHUT_WR)
        while select.select([supervisor], [], [], ABORT_LIMIT_S)[0] and supervisor.recv(4096):
            pass
    supervisor.close()

"""The process executor: each execution in a fresh process that nothing is shared with."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from failtrace.capture.journal import Segment
from failtrace.errors import ExecutionError, SubjectError
from failtrace.execution.backstop import answers_in_time, tell_end
from failtrace.execution.forkserver import ForkServer, forkserver, surroundings
from failtrace.execution.header import journal_is_full, open_segment
from failtrace.execution.payload import pack
from failtrace.execution.protocol import LOAD_LIMIT_S, Message, readable, receive, send
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
            self._check(request, answer, segment)
        # Given up, by an interrupt or by an error of ours: no half segment may look like a lost execution.
        except BaseException:
            segment.discard()
            raise
        return segment

    def abort(self) -> None:
        """End every execution that has not ended; their `execute` raises ExecutionError, as does each later one."""
        with self._lock:
            self._aborted = True
            for supervisor in self._running:
                _hang_up(supervisor)
        forkserver().stop_preloading()

    def _run(self, request: ExecutionRequest, module: str | None, blob: bytes, segment: Segment) -> Message | None:
        if self._aborted:
            return None
        server = forkserver()
        supervisor = server.lease(module)
        with self._lock:
            self._running.add(supervisor)
            if self._aborted:
                _hang_up(supervisor)
        answer: Message | None = None
        try:
            answer = self._ask(server, supervisor, request, blob, segment)
        finally:
            with self._lock:
                self._running.discard(supervisor)
                reusable = answer is not None and not self._aborted
            if reusable:
                server.release(supervisor)
            else:
                server.forget(supervisor)
                _end(server, supervisor)
        return answer

    def _ask(
        self, server: ForkServer, supervisor: socket.socket, request: ExecutionRequest, blob: bytes, segment: Segment
    ) -> Message | None:
        head: dict[str, Any] = {
            "trace_id": request.trace_id,
            "timeout": request.timeout,
            "limits": request.subject.limits,
            "journal": str(segment.path.absolute()),
            **surroundings(),
        }
        try:
            send(supervisor, head, blob, fds=(segment.fd,))
        except OSError:
            return None
        late = not answers_in_time(supervisor, segment, request.timeout)
        if late:
            # Stopped, it can still do all that it is for.
            server.wake(supervisor)
            late = not readable(supervisor, ABORT_LIMIT_S)
        answer = None if late else receive(supervisor)
        if answer is None and not self._aborted:
            server.end(supervisor)
            if late:
                tell_end(segment)
        return answer

    def _check(self, request: ExecutionRequest, answer: Message | None, segment: Segment) -> None:
        name = request.subject.name
        if answer is None:
            if self._aborted:
                raise ExecutionError(f"The execution of {name!r} was given up before it ended; run it again.")
            if segment.read().first("begin") is None:
                raise ExecutionError(
                    f"Cannot run {name!r} in a process of its own: its supervisor ended before the subject began; "
                    "make sure that processes, open files and temporary space are not used up, and run it again."
                )
            # Whatever ended the supervisor, the subject most likely: the segment tells how far it came.
            return
        if answer.head["killed"] == "load":
            raise SubjectError(
                f"Cannot load {name!r} in its process: it took longer than {LOAD_LIMIT_S:.0f} s to load; "
                "make the import of its module quicker, or use isolation='inline'."
            )
        if answer.head["journal_lost"]:
            raise journal_is_full(request)


def _hang_up(supervisor: socket.socket) -> None:
    # Already gone is as good.
    with contextlib.suppress(OSError):
        supervisor.shutdown(socket.SHUT_WR)


def _end(server: ForkServer, supervisor: socket.socket) -> None:
    """Hang up, and wait until the supervisor has ended its subject and itself."""
    with supervisor, contextlib.suppress(OSError):
        supervisor.shutdown(socket.SHUT_WR)
        server.wake(supervisor)
        while readable(supervisor, ABORT_LIMIT_S):
            if not supervisor.recv(4096):
                return
        server.end(supervisor)

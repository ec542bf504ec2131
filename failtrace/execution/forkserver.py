"""The host's side of process isolation: one template process, and the supervisors forked from it.

A supervisor is leased for one execution at a time; as many exist as executions ever ran at once. `multiprocessing`'s
own forkserver is not used: it re-imports the caller's `__main__` in every child, cannot preload another module later,
and tells neither how a child died nor what memory it took.
"""

from __future__ import annotations

import atexit
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from failtrace.errors import ExecutionError
from failtrace.execution.protocol import Message, receive, send

PRELOAD_LIMIT_S = 60.0
"""Seconds the template may take to import a subject's module; beyond that the module is not preloaded."""

_START = "import sys; sys.path[:] = {path!r}; from failtrace.execution.template import main; main({fd})"


class ForkServer:
    """Starts the template when it is first needed and leases supervisors. Thread-safe; rebuilt after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._preloaded: set[str] = set()
        self._unfit: set[str] = set()

    def lease(self, module: str | None) -> socket.socket:
        """A connection to a supervisor that has `module` preloaded where that can be. Raises ExecutionError."""
        with self._lock:
            if module is not None and module not in self._preloaded | self._unfit:
                self._preload(module)
            while self._idle:
                supervisor = self._idle.pop()
                if not _readable(supervisor):
                    return supervisor
                supervisor.close()
            return self._fork()

    def release(self, supervisor: socket.socket) -> None:
        """Give a supervisor back after an execution that it answered."""
        with self._lock:
            self._idle.append(supervisor)

    def close(self) -> None:
        """End the template and the idle supervisors."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        for connection in (*self._idle, self._control):
            if connection is not None:
                connection.close()
        if self._template is not None:
            try:
                self._template.wait(5.0)
            except subprocess.TimeoutExpired:
                self._template.kill()
                self._template.wait()
        self._idle, self._control, self._template = [], None, None
        self._preloaded = set()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            code = _START.format(fd=theirs.fileno(), path=import_path())
            try:
                self._template = subprocess.Popen(  # noqa: S603  our own interpreter and words, no shell
                    [sys.executable, "-c", code],
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except OSError as error:
                ours.close()
                raise ExecutionError(
                    f"Cannot start {sys.executable!r} for a fresh process ({error.strerror}); use isolation='inline'."
                ) from error
        self._control = ours
        return ours

    def _preload(self, module: str) -> None:
        control = self._control or self._start()
        head = {"do": "preload", "module": module, **surroundings(), "environment": dict(os.environ)}
        answer: Message | None = None
        try:
            send(control, head)
            if select.select([control], [], [], PRELOAD_LIMIT_S)[0]:
                answer = receive(control)
        except OSError:
            pass
        for supervisor in self._idle:
            supervisor.close()
        self._idle = []
        if answer is not None and answer.head["fit"]:
            self._preloaded.add(module)
            return
        # It failed, hung, died or left threads behind: start over without it. The subject's process imports it itself.
        self._unfit.add(module)
        if self._template is not None:
            self._template.kill()
        self._stop()

    def _fork(self) -> socket.socket:
        for _ in range(2):
            control = self._control or self._start()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    send(control, {"do": "supervisor"}, fds=(theirs.fileno(),))
                except OSError:
                    # The template was killed; a second one may live.
                    ours.close()
                    self._stop()
                    continue
            return ours
        raise ExecutionError(
            f"Cannot get a fresh process from {sys.executable!r}: its forkserver ends at once; "
            "run `failtrace doctor`, or use isolation='inline'."
        )


def surroundings() -> dict[str, Any]:
    """The caller's directory and path, which a fresh process takes over."""
    try:
        cwd = str(Path.cwd())
    except FileNotFoundError:
        cwd = "/"
    return {"cwd": cwd, "sys_path": import_path()}


def import_path() -> list[str]:
    """sys.path with its relative entries (`''` is the current directory) made absolute."""
    return [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100  Path('') has no such meaning


def _readable(connection: socket.socket) -> bool:
    """An idle supervisor has nothing to say: readable means that it is gone."""
    return bool(select.select([connection], [], [], 0)[0])


_servers: dict[int, ForkServer] = {}
_servers_lock = threading.Lock()


def forkserver() -> ForkServer:
    """This process's forkserver; a forked child gets one of its own."""
    with _servers_lock:
        server = _servers.get(os.getpid())
        if server is None:
            server = _servers[os.getpid()] = ForkServer()
            atexit.register(server.close)
        return server

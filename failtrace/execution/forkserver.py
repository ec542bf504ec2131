"""The host's side of process isolation: one template process, and the supervisors forked from it.

A supervisor is leased for one execution at a time; as many exist as executions ever ran at once. `multiprocessing`'s
own forkserver is not used: it re-imports the caller's `__main__` in every child, cannot preload another module later,
and tells neither how a child died nor what memory it took.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from failtrace.capture.redaction import redactor
from failtrace.errors import ExecutionError
from failtrace.execution.protocol import Message, readable, receive, send
from failtrace.start_directory import START

PRELOAD_LIMIT_S = 60.0
"""Seconds the template may take to import a subject's module; beyond that the module is not preloaded."""

_Version = tuple[str, int] | None
"""A module's file and when it was written, in nanoseconds; None where there is no file."""

_START = "import sys; sys.path[:] = {path!r}; from failtrace.execution.template import main; main({fd})"


class ForkServer:
    """Starts the template when it is first needed and leases supervisors. Thread-safe; rebuilt after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._leased: set[socket.socket] = set()
        self._pids: WeakKeyDictionary[socket.socket, int] = WeakKeyDictionary()
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._preloaded: dict[str, _Version] = {}
        self._unfit: dict[str, _Version] = {}
        self._importing: subprocess.Popen[bytes] | None = None

    def lease(self, module: str | None) -> socket.socket:
        """A connection to a supervisor that has `module` preloaded where that can be. Raises ExecutionError."""
        with self._lock:
            if module is not None:
                self._prepare(module, _version(module))
            supervisor = self._idle_one() or self._fork()
            self._leased.add(supervisor)
            return supervisor

    def release(self, supervisor: socket.socket) -> None:
        """Give a supervisor back after an execution that it answered."""
        with self._lock:
            if supervisor in self._leased:
                self._leased.discard(supervisor)
                self._idle.append(supervisor)
            # Of an earlier template, which knew less, or older code.
            else:
                supervisor.close()

    def forget(self, supervisor: socket.socket) -> None:
        """A supervisor that has ended, or is to end, does not come back."""
        with self._lock:
            self._leased.discard(supervisor)

    def wake(self, supervisor: socket.socket) -> None:
        """Let a supervisor go on that its subject has stopped. One that says something, its end included, has not."""
        if not readable(supervisor, 0):
            with contextlib.suppress(OSError):
                os.kill(self._pids[supervisor], signal.SIGCONT)

    def end(self, supervisor: socket.socket) -> None:
        """Kill a supervisor that will not answer any more, and all that it left. Linux only.

        Nobody can do so where the template that it came from is gone.
        """
        with self._lock:
            if self._control is not None:
                self._ask(self._control, {"do": "end", "pid": self._pids[supervisor]})

    def descriptors(self) -> frozenset[int]:
        """Those of this process that lead to the template and the supervisors."""
        with self._lock:
            held = [*self._idle, *self._leased, *([self._control] if self._control is not None else [])]
            return frozenset(connection.fileno() for connection in held)

    def stop_preloading(self) -> None:
        """End an import that is under way in the template; the `lease` that asked for it goes on without."""
        template, self._importing = self._importing, None
        if template is not None:
            template.kill()

    def close(self) -> None:
        """End the template and the idle supervisors."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._template is not None:
            try:
                self._template.wait(5.0)
            except subprocess.TimeoutExpired:
                self._template.kill()
                self._template.wait()
        self._control = self._template = None
        self._retire_supervisors()
        self._preloaded = {}

    def _retire_supervisors(self) -> None:
        """None forked so far is leased again."""
        for supervisor in self._idle:
            supervisor.close()
        self._idle = []
        self._leased = set()

    def _idle_one(self) -> socket.socket | None:
        while self._idle:
            supervisor = self._idle.pop()
            # It has nothing to say: readable means that it is gone.
            if not readable(supervisor, 0):
                return supervisor
            supervisor.close()
        return None

    def _start(self) -> socket.socket:
        ours, theirs = _pair()
        with theirs:
            code = _START.format(fd=theirs.fileno(), path=import_path())
            try:
                self._template = subprocess.Popen(  # noqa: S603  our own interpreter and words, no shell
                    [sys.executable, "-c", code],
                    pass_fds=[theirs.fileno()],
                    env=_environment(),
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

    def _prepare(self, module: str, version: _Version) -> None:
        """Have the module's present version in the template, unless that was tried in vain."""
        if module in self._preloaded and self._preloaded[module] != version:
            # What the template has imported cannot be taken back.
            self._stop()
        tried = module in self._unfit and self._unfit[module] == version
        if module not in self._preloaded and not tried:
            self._preload(module, version)

    def _preload(self, module: str, version: _Version) -> None:
        control = self._control or self._start()
        self._importing = self._template
        fit = False
        try:
            fit = _import_there(control, module)
            if fit:
                self._preloaded[module] = version
            elif self._importing is not None:
                self._unfit[module] = version
        finally:
            self._importing = None
            # It failed, hung, died or left threads behind, or nobody waits for its answer any more: start over
            # without it. The subject's process imports the module itself.
            if not fit:
                self._kill()
            self._retire_supervisors()

    def _kill(self) -> None:
        if self._template is not None:
            self._template.kill()
        self._stop()

    def _fork(self) -> socket.socket:
        for _ in range(2):
            control = self._control or self._start()
            ours, theirs = _pair()
            with theirs:
                answer = self._ask(control, {"do": "supervisor"}, theirs.fileno())
            if answer is not None:
                self._pids[ours] = answer.head["pid"]
                return ours
            # A second template may live.
            ours.close()
        raise ExecutionError(
            f"Cannot get a fresh process from {sys.executable!r}: its forkserver ends at once; "
            "run `failtrace doctor`, or use isolation='inline'."
        )

    def _ask(self, control: socket.socket, head: dict[str, Any], *fds: int) -> Message | None:
        """The template's answer; None where it has none, for which it is ended: it was killed, or is stopped."""
        answer: Message | None = None
        try:
            with contextlib.suppress(OSError):
                send(control, head, fds=fds)
                if readable(control, PRELOAD_LIMIT_S):
                    answer = receive(control)
        finally:
            # Also where nobody waits any more: its answer would be taken for another one's.
            if answer is None:
                self._kill()
        return answer


def surroundings() -> dict[str, Any]:
    """The caller's directories, path, environment and own rules for what is secret: a fresh process takes them over."""
    try:
        cwd = str(Path.cwd())
    except FileNotFoundError:
        cwd = "/"
    return {
        "cwd": cwd,
        "start": START.path,
        "sys_path": import_path(),
        "environment": dict(os.environ),
        "redaction": redactor().rules.to_json(),
    }


def import_path() -> list[str]:
    """sys.path with its relative entries (`''` is the current directory) made absolute."""
    return [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]  # noqa: PTH100  Path('') has no such meaning


def _pair() -> tuple[socket.socket, socket.socket]:
    try:
        return socket.socketpair()
    except OSError as error:
        raise ExecutionError(
            f"Cannot reach a fresh process ({error.strerror}); have fewer files open, or raise `ulimit -n`."
        ) from error


def _import_there(control: socket.socket, module: str) -> bool:
    """Whether the template has imported the module and can still be forked."""
    answer: Message | None = None
    # The template died.
    with contextlib.suppress(OSError):
        send(control, {"do": "preload", "module": module, **surroundings()})
        if readable(control, PRELOAD_LIMIT_S):
            answer = receive(control)
    return answer is not None and bool(answer.head["fit"])


def _version(module: str) -> _Version:
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return None if file is None else (file, Path(file).stat().st_mtime_ns)
    except OSError:
        return None


def _environment() -> dict[str, str]:
    """What the template starts with; executions have their caller's environment."""
    if sys.platform != "darwin":
        return dict(os.environ)
    # Else macOS ends a fork at its first use of a system library that the template has used.
    return {**os.environ, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"}


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

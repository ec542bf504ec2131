"""The supervisor: a small single-threaded process that runs one execution after another, each in a fork of itself.

It drains the subject's output, ends what outlives its deadline, leaves no descendant behind, and writes the `exit`
line. It keeps nothing of an execution. When its host goes away, it ends the subject and itself.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from failtrace.capture.exceptions import without_machinery
from failtrace.capture.journal import JournalWriter
from failtrace.capture.redaction import adopt, learn
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.execution.child import Child, Ended
from failtrace.execution.descriptors import Descriptors
from failtrace.execution.limits import adopt_orphans, die_with_parent, oom_kills
from failtrace.execution.protocol import LOAD_LIMIT_S, Message, receive, send
from failtrace.execution.usage import Usage
from failtrace.execution.worker import JOURNAL_LOST, LEARNT, STARTED, SUBJECT_ENDED, run_worker
from failtrace.secrets.own_rules import OwnRules
from failtrace.subjects.limits import Breach

TAIL_BYTES = 64 * 1024
"""Kept of each output stream: its end."""
TAIL_SLACK = 8 * 1024
"""Read beyond that, so that a secret across the cut is seen whole."""
MAX_STATUS = 16 * 1024 * 1024
"""Kept of what the process says of itself: the secrets that it has come to know, as many as an environment holds."""
DRAIN_BYTES = 1024 * 1024
"""Read at once at most, as much as a pipe can hold: a flood must not keep the supervisor from its clock."""
BACKUP_GRACE_S = 0.4
"""After the deadline the watchdog inside has this long to write the stacks, on a busy machine too; then SIGKILL."""
LONGEST_WAIT_S = 3600.0
"""epoll counts milliseconds in 32 bits."""
MAX_STACKS = 256 * 1024
EXIT_BROKEN = 70
"""EX_SOFTWARE of sysexits.h: the worker itself went wrong."""


@dataclass(slots=True)
class Tail:
    """The end of an output stream, and how much came through it."""

    fd: int
    size: int = TAIL_BYTES + TAIL_SLACK
    chunks: bytearray = field(default_factory=bytearray)
    total: int = 0

    def drain(self) -> bool:
        """Read what is there, at most DRAIN_BYTES, without waiting for more; False once the stream has ended."""
        until = self.total + DRAIN_BYTES
        while self.total < until:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.total += len(data)
            self.chunks += data
            del self.chunks[: -self.size]
        return True


class Supervisor:
    """Serves one host over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._wakeup_read, self._wakeup_write = os.pipe()
        for fd in (self._wakeup_read, self._wakeup_write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        adopt_orphans()

    def serve(self) -> None:
        """Run executions until the host goes away."""
        while (message := receive(self._connection)) is not None:
            if not self._run(message):
                return

    def _run(self, message: Message) -> bool:
        """One execution; False where the host went away meanwhile."""
        out, err, status = os.pipe(), os.pipe(), os.pipe()
        own_pid = os.getpid()
        adopt(OwnRules.from_json(message.head["redaction"]), message.head["environment"])
        with _nameless_file() as stacks:
            inside = Descriptors(message.fds[0], out[1], err[1], status[1], stacks.fileno())
            kills_before = oom_kills()
            pid = os.fork()
            if pid == 0:
                # The last frame of a process of our own: nothing may come back from here, whatever happens. The
                # subject's own errors never get this far; what does is an error of failtrace and is told as such.
                try:
                    self._become_worker(own_pid, out[0], err[0], status[0])
                    inside = inside.out_of_the_way()
                    run_worker(message, inside)
                except BaseException:  # noqa: BLE001
                    JournalWriter(inside.journal).write(
                        {"k": "broken", "message": sanitise_text(traceback.format_exc(), Marks())}
                    )
                finally:
                    os._exit(EXIT_BROKEN)
            for fd in (out[1], err[1], status[1]):
                os.close(fd)
            child = Child(pid)
            usage = Usage(message.head["limits"])
            watch = _Watch(
                child, Tail(out[0]), Tail(err[0]), Tail(status[0], MAX_STATUS), message.head["timeout"], usage
            )
            host_here = watch.until_exit(self._connection, self._wakeup_read)
            ended = child.reap()
            watch.drain()
            stacks.seek(0)
            exit_line = watch.exit_line(ended, stacks.read(MAX_STACKS), kills_before, host_lost=not host_here)
        for fd in (out[0], err[0], status[0]):
            os.close(fd)
        written = JournalWriter(message.fds[0]).write(exit_line)
        os.close(message.fds[0])
        journal_lost = not written or JOURNAL_LOST in watch.status.chunks
        return host_here and _answer(self._connection, {"journal_lost": journal_lost, "killed": watch.killed})

    def _become_worker(self, supervisor: int, *foreign_fds: int) -> None:
        os.setsid()
        die_with_parent()
        if os.getppid() != supervisor:
            # It died before the kernel was asked to tell us.
            os._exit(EXIT_BROKEN)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._connection.close()
        for fd in (self._wakeup_read, self._wakeup_write, *foreign_fds):
            os.close(fd)


def _learnt(told: bytes) -> list[str]:
    """The secrets that the process said it has come to know; what is no such thing, the subject wrote there."""
    found: list[str] = []
    for line in LEARNT.findall(told):
        with suppress(ValueError, RecursionError):
            forms = json.loads(bytes.fromhex(line.decode()))
            found += [form for form in forms if type(form) is str and form] if type(forms) is list else []
    return found


def _nameless_file() -> IO[bytes]:
    """In memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("failtrace-stacks"), "r+b", buffering=0)
    return tempfile.TemporaryFile()


def _answer(connection: socket.socket, head: dict[str, Any]) -> bool:
    try:
        send(connection, head)
    except OSError:
        return False
    return True


@dataclass(slots=True)
class _Watch:
    """Looks after one subject process until it has exited."""

    child: Child
    out: Tail
    err: Tail
    status: Tail
    timeout: float
    usage: Usage
    started: float | None = None
    killed: str | None = None
    """Why the supervisor itself ended the process: `deadline`, `limit`, `load` or `host_lost`."""
    breach: Breach | None = None
    """The limit that was exceeded first."""
    _kill_at: float | None = None
    _born: float = field(default_factory=time.monotonic)

    def until_exit(self, connection: socket.socket, wakeup: int) -> bool:
        """Drain and wait until the process has exited and its group is dead; False where the host went away."""
        host_here = True
        with selectors.DefaultSelector() as selector:
            for tail in (self.out, self.err, self.status):
                os.set_blocking(tail.fd, False)
                selector.register(tail.fd, selectors.EVENT_READ, tail)
            selector.register(wakeup, selectors.EVENT_READ, None)
            selector.register(connection, selectors.EVENT_READ, None)
            while not self.child.has_exited():
                for key, _ in selector.select(self._wait()):
                    if key.data is not None:
                        self._drain_into(key.data, selector.unregister)
                    elif key.fileobj is connection:
                        host_here = False
                        selector.unregister(connection)
                        self._kill("host_lost")
                    else:
                        os.read(wakeup, 4096)
                self._hold_to_limits()
                if self._patience() <= 0:
                    self._kill("limit" if self.breach else "deadline" if self.started is not None else "load")
        self.child.kill_group()
        return host_here

    def _drain_into(self, tail: Tail, forget: Callable[[int], Any]) -> None:
        if not tail.drain():
            forget(tail.fd)
        if tail is self.status and self.started is None and STARTED in tail.chunks:
            self.started = time.monotonic()
        if tail is self.status and SUBJECT_ENDED in tail.chunks:
            self.usage.subject_ended()

    def _hold_to_limits(self) -> None:
        """End what exceeds a limit; where it can still say where it stood, it has a moment to do so."""
        if self.started is None or self.breach is not None or self.killed is not None:
            return
        self.breach = self.usage.breach(self._written)
        if self.breach is None:
            return
        if self.breach.name == "process_limit":
            # They would become more meanwhile.
            self._kill("limit")
        else:
            self.child.signal(signal.SIGXCPU)
            self._kill_at = time.monotonic() + BACKUP_GRACE_S

    @property
    def _written(self) -> int:
        return self.out.total + self.err.total

    def _wait(self) -> float:
        """Seconds until there is something to do, whatever happens."""
        waits = (self._patience(), self.usage.patience if self.started is not None else None, LONGEST_WAIT_S)
        return min(wait for wait in waits if wait is not None)

    def _patience(self) -> float:
        """Seconds until the process is killed from here."""
        if self.killed is not None:
            return 1.0
        now = time.monotonic()
        if self._kill_at is not None:
            return max(0.0, self._kill_at - now)
        if self.started is None:
            return max(0.0, self._born + LOAD_LIMIT_S - now)
        return max(0.0, self.started + self.timeout + BACKUP_GRACE_S - now)

    def _kill(self, why: str) -> None:
        self.killed = self.killed or why
        self.child.kill()

    def drain(self) -> None:
        """What is still in the pipes; nobody is left who could write to them."""
        for tail in (self.out, self.err, self.status):
            tail.drain()

    def exit_line(self, ended: Ended, stacks: bytes, kills_before: int | None, *, host_lost: bool) -> dict[str, Any]:
        """How the process ended, as a journal line."""
        learn(_learnt(bytes(self.status.chunks)))
        marks = Marks()
        status = ended.status
        kills = oom_kills()
        breach = self._breach_at_end(ended)
        return {
            "k": "exit",
            "t": time.time_ns(),
            "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "core": os.WCOREDUMP(status),
            "oom": None if kills is None or kills_before is None else kills > kills_before,
            "peak_rss": ended.peak_rss_bytes,
            "killed": self.killed,
            "limit": breach and breach._asdict(),
            "host_lost": host_lost,
            "stacks": sanitise_text(without_machinery(stacks.decode("utf-8", "replace")), marks),
            "stdout": self._tail(self.out, marks),
            "stderr": self._tail(self.err, marks),
            "marks": {"cut": marks.bytes_cut, "redacted": marks.values_redacted},
        }

    def _breach_at_end(self, ended: Ended) -> Breach | None:
        """The breach that ended it; or one that shows only now, by what it left in its pipes or by its signal."""
        if self.breach is not None or self.killed is not None or self.started is None:
            return self.breach
        if os.WIFSIGNALED(ended.status) and os.WTERMSIG(ended.status) == signal.SIGXCPU:
            return self.usage.killed_by_kernel(ended.cpu_s)
        return self.usage.too_much_output(self._written)

    @staticmethod
    def _tail(tail: Tail, marks: Marks) -> dict[str, Any]:
        marks.bytes_cut += tail.total - len(tail.chunks)
        text = sanitise_text(tail.chunks.decode("utf-8", "replace"), marks, TAIL_BYTES, keep="end")
        return {"text": text, "total": tail.total}

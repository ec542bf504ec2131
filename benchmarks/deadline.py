"""How long after its deadline a hung subject is dead, against SIGKILL by hand."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import subjects
from benchmarks.harness import Goal, Row, in_time, interleave, milliseconds
from benchmarks.places import scratch
from failtrace.detection.run import Execution, execute
from failtrace.execution.process import ProcessExecutor
from failtrace.settings import Settings
from failtrace.subjects.subject import Subject, subject_of

TIMEOUT_S = 0.25
Hang = Callable[[str], object]


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """Each way to hang; dead is what the kernel says of its process."""
    ways: tuple[tuple[Hang, Hang], ...] = (
        (subjects.busy_loop, subjects.busy_loop),
        (subjects.sleep, subjects.sleep),
        (subjects.c_with_gil, subjects.c_with_gil),
        (subjects.c_without_gil, subjects.c_without_gil),
        (subjects.regex, subjects.regex),
        (subjects.await_forever, subjects.run_await_forever),
    )
    with scratch() as folder:
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        return tuple(_row(subject_of(hang), by_hand, pipe, rounds) for hang, by_hand in ways)


def _row(subject: Subject, by_hand: Hang, pipe: Path, rounds: int) -> Row:
    return Row(
        what=f"dead after its deadline: {subject.name.removeprefix('benchmark: ')}",
        floor="SIGKILL by hand",
        goal=Goal(must=20, aim=5, unit=" ms", reading=milliseconds),
        pairs=interleave(rounds, lambda: _killed(by_hand, pipe), lambda: _overrun(subject, pipe)),
        scale=in_time,
    )


def _killed(hang: Hang, pipe: Path) -> float:
    """Seconds from SIGKILL to death."""
    pid = os.fork()
    if pid == 0:
        hang(str(pipe))
        os._exit(1)
    _told(pipe)
    start = time.time()
    os.kill(pid, signal.SIGKILL)
    died = _death(pid)
    os.waitpid(pid, 0)
    return died - start


def _overrun(subject: Subject, pipe: Path) -> float:
    """Seconds from the deadline to death."""
    done: list[Execution] = []
    settings = Settings.load(home=pipe.parent, timeout_s=TIMEOUT_S)
    runner = threading.Thread(target=lambda: done.append(execute(subject, str(pipe), ProcessExecutor(), settings)))
    runner.start()
    died = _death(_told(pipe))
    runner.join()
    (execution,) = done
    execution.segment.discard()
    if execution.record.outcome.kind != "timed_out":
        raise AssertionError(f"{subject.name} ended as {execution.record.outcome.kind}")
    return died - (execution.record.started_at.timestamp() + TIMEOUT_S)


def _told(pipe: Path) -> int:
    """The pid of who hangs."""
    return int(pipe.read_text(encoding="ascii"))


def _death(pid: int) -> float:
    """Wait until the process is dead, and give the moment: wall clock, as that of the record's start."""
    handle = os.pidfd_open(pid)
    try:
        select.select([handle], [], [])
        return time.time()
    finally:
        os.close(handle)

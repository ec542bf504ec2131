"""Subjects that take too much of something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

from failtrace.capture.step import step
from failtrace.contracts import TraceRecord
from failtrace.subjects.hostile.catalogue import DEADLINE_S, hostile, is_alive, is_short, meets, raises, returns, takes

_MIB = 1024 * 1024
_THREADS = 500
_FORKS = 7


@hostile("Memory bomb", meets("memory_limit_bytes", "hoard"), memory_limit_bytes=64 * _MIB)
def memory_bomb() -> None:
    """Many small objects: when the limit is met there is room for nothing. Stops by itself at eight times the limit."""
    hoard = []
    with step("hoard"):
        for _ in range(512 * _MIB // 1000):
            hoard.append(bytearray(1000))  # noqa: PERF401  a comprehension would raise elsewhere


@hostile("Endless computing", meets("cpu_limit_s", "compute"), cpu_limit_s=0.5, timeout=5.0)
def endless_computing() -> None:
    """Takes all the processor time there is."""
    with step("compute"):
        while True:
            pass


@hostile("Endless output", meets("output_limit_bytes", "talk"), output_limit_bytes=_MIB, timeout=5.0)
def endless_output() -> None:
    """Prints as fast as it can."""
    with step("talk"):
        while True:
            print("x" * 1000)  # noqa: T201  that is what is wrong with it


@hostile("Endless steps", meets("step_limit"), step_limit=1000, timeout=5.0)
def endless_steps() -> None:
    """An agent that plans and plans, and takes every exception for one of its tools'."""
    while True:
        try:
            with step("plan"):
                pass
        except BaseException:  # noqa: BLE001, S112  that is what is wrong with it
            continue


@hostile("Fork bomb", meets("process_limit", "multiply"), process_limit=16, timeout=DEADLINE_S)
def fork_bomb() -> None:
    """Doubles itself, 128 processes at most, and waits."""
    with step("multiply"):
        for _ in range(_FORKS):
            os.fork()
        time.sleep(3600)


@hostile(
    "Endless recursion",
    raises("RecursionError", "recorded as RecursionError, its traceback bounded", is_short, takes),
)
def endless_recursion() -> None:
    """Calls itself until the interpreter refuses."""
    endless_recursion()


class _Threads(NamedTuple):
    """How many a subject began, and how many of them are there now: all while its process is, for they never end."""

    begun: int
    left: int

    @classmethod
    def of(cls, record: TraceRecord) -> _Threads:
        told = record.output if isinstance(record.output, dict) else {}
        begun = told.get("threads")
        begun = begun if isinstance(begun, int) else 0
        return cls(begun, begun if is_alive(told.get("process")) else 0)


def _no_thread_left(record: TraceRecord) -> bool:
    return _Threads.of(record) == (_THREADS, 0)


def _threads_seen(record: TraceRecord) -> str:
    return "{:,} threads, {:,} of them left.".format(*_Threads.of(record))


@hostile(
    "500 threads left behind",
    returns("it returns, and its threads go with its process", _no_thread_left, _threads_seen),
)
def threads_left_behind() -> dict[str, int]:
    """Threads that never end and are waited for at exit."""
    before = threading.active_count()
    for _ in range(_THREADS):
        threading.Thread(target=time.sleep, args=(3600,)).start()
    return {"process": os.getpid(), "threads": threading.active_count() - before}


def _left_processes(record: TraceRecord) -> list[Any]:
    return record.output if isinstance(record.output, list) else []


def _nobody_left(record: TraceRecord) -> bool:
    """None of the processes whose numbers the subject gave is there."""
    pids = _left_processes(record)
    return len(pids) == 3 and not any(map(is_alive, pids))


def _processes_seen(record: TraceRecord) -> str:
    pids = _left_processes(record)
    return f"{len(pids)} processes left behind, {sum(map(is_alive, pids))} of them alive."


@hostile("Fork and orphan", returns("it returns, and the processes it left are ended", _nobody_left, _processes_seen))
def fork_and_orphan() -> list[int]:
    """Leaves a child that ignores SIGTERM, one in a session of its own, and an orphaned grandchild."""
    deaf = os.fork()
    if not deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    sleep = [sys.executable, "-c", "import time; time.sleep(3600)"]
    apart = subprocess.Popen(sleep, start_new_session=True).pid  # noqa: S603  our own interpreter and words
    read, write = os.pipe()
    middle = os.fork()
    if not middle:
        orphan = os.fork()
        if orphan:
            os.write(write, str(orphan).encode())
            os._exit(0)
        time.sleep(3600)
    os.waitpid(middle, 0)
    return [deaf, apart, int(os.read(read, 20))]

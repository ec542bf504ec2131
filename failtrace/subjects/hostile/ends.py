"""Subjects that do not end, or end their process."""

import ctypes
import itertools
import os
import signal
import sys
import time

from failtrace.capture.step import step
from failtrace.subjects.hostile.catalogue import DEADLINE_S, dies_by, hostile, raises, times_out


@hostile("Hangs in C code", times_out("hang_in_c_code"), timeout=DEADLINE_S)
def hang_in_c_code() -> int:
    """C code that never lets go of the interpreter's lock: no Python thread or signal handler gets a turn."""
    return sum(itertools.repeat(0))


@hostile("Ignores every signal", times_out("ignore_every_signal"), timeout=DEADLINE_S)
def ignore_every_signal() -> None:
    """SIGTERM, SIGINT and all others that can be ignored."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


@hostile("Blocks the event loop", times_out("block_the_event_loop"), timeout=DEADLINE_S)
async def block_the_event_loop() -> None:
    """A coroutine that cannot be cancelled, for it never awaits."""
    time.sleep(3600)  # noqa: ASYNC251  that is what is wrong with it


@hostile("Segmentation fault", dies_by("SIGSEGV", "read"))
def segmentation_fault() -> None:
    """Reads from address zero."""
    with step("read"):
        ctypes.string_at(0)


@hostile("Abort", dies_by("SIGABRT", "assert in C"))
def abort() -> None:
    """What a failed assertion of a native library does."""
    with step("assert in C"):
        os.abort()


@hostile("SIGKILL", dies_by("SIGKILL", "work"))
def killed() -> None:
    """Ended from outside, without a word."""
    with step("work"):
        os.kill(os.getpid(), signal.SIGKILL)


@hostile("sys.exit", raises("SystemExit", "recorded as an exception; the program that runs it goes on"))
def leave_by_sys_exit() -> None:
    """A library that ends the program."""
    sys.exit(3)

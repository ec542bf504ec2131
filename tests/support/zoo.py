"""Subjects that do to a process what a process should not survive, or should not notice."""

import asyncio
import atexit
import functools
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from opentelemetry import trace

from failtrace import step

TAG: ContextVar[str] = ContextVar("tag", default="unset")


def double(value: int) -> int:
    return value * 2


async def double_later(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


def count_to(value: int) -> Iterator[int]:
    yield from range(value)


async def count_later(value: int) -> AsyncIterator[int]:
    for number in range(value):
        await asyncio.sleep(0)
        yield number


def no_input() -> str:
    return "nothing was asked"


class Multiplier:
    """A callable object."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, value: int) -> int:
        return value * self.factor


double_by_object = Multiplier(2)
double_by_partial = functools.partial(pow, exp=1)
times_three = functools.partial(lambda factor, value: factor * value, 3)


def complain(text: str) -> None:
    raise ValueError(text)


def leave(code: int) -> None:
    sys.exit(code)


def kill_itself(number: int) -> None:
    with step("about to die"):
        os.kill(os.getpid(), number)
        time.sleep(60)


def print_and_close(text: str) -> str:
    print(text)
    print("to stderr", file=sys.stderr)
    os.close(1)
    sys.stdout = None  # type: ignore[assignment]
    return "closed"


def wander(_: Any) -> str:
    os.chdir("/")
    os.umask(0o777)
    os.environ["FAILTRACE_WANDERED"] = "yes"
    return str(Path.cwd())


def read_stdin(_: Any) -> str:
    return sys.stdin.read()


def ignore_sigterm(_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        time.sleep(1)


def leave_a_family(pid_file: str) -> str:
    """A child, and a grandchild in a session of its own, that both outlive the subject."""
    for new_session in (False, True):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=new_session)
        with Path(pid_file).open("a") as file:
            file.write(f"{child.pid}\n")
    return "gone"


def hang_with_a_family(pid_file: str) -> None:
    leave_a_family(pid_file)
    time.sleep(600)


def fork_and_return(_: Any) -> str:
    with step("fork"):
        return "parent" if os.fork() else "child"


def thread_left_behind(_: Any) -> str:
    threading.Thread(target=time.sleep, args=(600,)).start()
    return "returned"


def steps_in_threads(_: Any) -> list[str]:
    TAG.set("from the subject")
    seen: list[str] = []

    def work(name: str) -> None:
        with step(name):
            seen.append(TAG.get())

    with step("outer"):
        thread = threading.Thread(target=work, args=("in a thread",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work, "in a pool").result()
    return seen


async def steps_in_tasks(_: Any) -> None:
    async def work(name: str) -> None:
        with step(name):
            await asyncio.sleep(0)

    with step("outer"):
        await asyncio.gather(work("first"), work("second"), asyncio.to_thread(asyncio.run, work("third")))


def foreign_span(_: Any) -> None:
    """A step that an instrumentation library would open."""
    tracer = trace.get_tracer("somebody.else")
    with tracer.start_as_current_span("chat gpt", attributes={"gen_ai.operation.name": "chat"}) as span:
        span.add_event("first token", {"n": 1})
        with step("ours"):
            span.set_attribute("gen_ai.usage.output_tokens", 3)


def talk(_: Any) -> None:
    logging.basicConfig()
    with step("talking"):
        logging.getLogger("zoo").warning("password=%s is wrong", "hunter2secret")
    logging.getLogger("zoo").info("no more")


def print_for_ever(_: Any) -> None:
    while True:
        print("x" * 1000)


def deep_chain(_: Any) -> None:
    try:
        with step("outer"), step("inner"):
            raise KeyError("lost")
    except KeyError as error:
        with step("wrapper"):
            raise RuntimeError("could not go on") from error


class Unprintable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise KeyboardInterrupt


def raise_unprintable(_: Any) -> None:
    raise Unprintable


async def swallow_cancellation(_: Any) -> None:
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            continue


async def block_the_loop(_: Any) -> None:
    time.sleep(600)


def kill_supervisor(_: Any) -> None:
    with step("treason"):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)


def turn_on_supervisor(asked: tuple[int, str]) -> None:
    """Send it a signal, with a process left that no group and no parent holds any more."""
    number, pid_file = asked
    with step("treason"):
        left = subprocess.Popen(["sleep", "600"], start_new_session=True)
        Path(pid_file).write_text(str(left.pid))
        os.kill(os.getppid(), number)
        time.sleep(600)


def keep_stopping_supervisor(pid_file: str) -> None:
    """A process of its own stops the supervisor whenever it is woken."""
    supervisor = os.getppid()
    with step("treason"):
        if not os.fork():
            os.setsid()
            Path(pid_file).write_text(str(os.getpid()))
            while True:
                os.kill(supervisor, signal.SIGSTOP)
        time.sleep(600)


def put_a_pipe_in_place_of_the_journal(folder: str) -> None:
    """And nobody is left who could answer."""
    (journal,) = Path(folder).glob("*.jsonl")
    journal.unlink()
    os.mkfifo(journal)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def sleep_until_killed(pid_file: str) -> None:
    with step("started"):
        Path(pid_file).write_text(str(os.getpid()))
        time.sleep(600)


def exhaust_memory(_: Any) -> None:
    """Many small objects: when the limit is met, there is no memory left for anything."""
    hoard = []
    while True:
        hoard.append(bytearray(1000))


def close_descriptors(asked: tuple[str, int]) -> str:
    """What daemons do; then files of the subject's own, and steps."""
    path, highest = asked
    os.closerange(3, highest)
    with Path(path).open("w") as mine, step("after"):
        spare = [os.dup(mine.fileno()) for _ in range(20)]
        mine.write("the subject's own")
        return f"closed, then opened {len(spare)}"


def close_descriptors_and_hang(_: Any) -> None:
    with step("closed"):
        os.closerange(0, 1 << 16)
        time.sleep(600)


def replace_descriptors(path: str) -> str:
    """Everything that is open becomes the subject's file."""
    mine = os.open(path, os.O_WRONLY | os.O_CREAT)
    for fd in range(3, 5000):
        try:
            os.fstat(fd)
        except OSError:
            continue
        os.dup2(mine, fd)
    with step("after"):
        return "replaced"


def open_descriptors(_: Any) -> dict[str, list[int]]:
    """Which descriptors below 256 are open, and which of all a program started from here would have."""
    numbers = [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208  a number closes while a Path would look
    still_open = []
    for fd in numbers:
        try:
            still_open.append((fd, os.get_inheritable(fd)))
        except OSError:
            continue
    return {
        "low": sorted(fd for fd, _ in still_open if fd < 256),
        "inherited": sorted(fd for fd, inheritable in still_open if inheritable),
    }


def handled_then_raised(_: Any) -> None:
    """A step whose error is handled, and another error outside of every step."""
    try:
        with step("tried"):
            raise KeyError("handled")
    except KeyError:
        pass
    raise ValueError("outside")


def raised_in_a_foreign_span(_: Any) -> None:
    tracer = trace.get_tracer("somebody.else")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
        raise ValueError("in a library")


def fork_and_raise(_: Any) -> str:
    """The child leaves the subject by an exception; the parent waits for it."""
    pid = os.fork()
    if pid == 0:
        raise ValueError("in the child")
    os.waitpid(pid, 0)
    return "parent"


def patch_the_clocks(_: Any) -> str:
    time.monotonic = lambda: 0.0
    time.time_ns = lambda: 0
    return "patched"


def leave_an_exit_function(path: str) -> None:
    atexit.register(Path(path).write_text, "left well")


def text_of(value: Any) -> str:
    return str(value.text)

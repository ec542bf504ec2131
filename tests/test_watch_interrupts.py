"""What is thrown into a host from outside reaches it, also in the middle of failtrace's work."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.watched import program, recorded

from failtrace import watch
from failtrace.capture.interrupts import came_from_outside
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import JOURNAL
from failtrace.guard import GUARD
from failtrace.recorder import recorder


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


def test_what_another_thread_throws_in_arrives(tmp_path: Path) -> None:
    """As libraries do that limit a thread's time; every one of them ends the loop that it was meant for."""
    done = program(
        tmp_path,
        """
        import ctypes, json, sys, threading
        from failtrace import watch
        from failtrace.watching import status
        sys.setswitchinterval(1e-5)

        class Stop(Exception):
            pass

        @watch
        def work(value):
            return value

        arrived = 0
        work(0)  # OpenTelemetry swallows whatever comes while it makes the first tracer

        def loop(begun, done):
            global arrived
            try:
                begun.set()
                while not done.is_set():
                    work(1)
            except Stop:
                arrived += 1
                done.set()

        def ignored(_):
            # Python hears none that comes in a weak reference's callback, and says so.
            global arrived
            arrived += 1
            done.set()

        sys.unraisablehook = ignored
        for _ in range(60):
            begun, done = threading.Event(), threading.Event()
            thread = threading.Thread(target=loop, args=(begun, done))
            thread.start()
            begun.wait()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
            done.wait(20)
            done.set()
            thread.join()
        print(json.dumps([arrived, status().faults]))
        """,
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == [60, 0]


OFF = "signal.signal(number, signal.SIG_IGN)"


@pytest.mark.parametrize(
    "how", [f"{OFF}; sys.exit(3)", f"{OFF}; raise Last", "del frame; raise Last", "frame = None; raise Last"]
)
def test_a_handler_is_heard_whatever_it_does(how: str, tmp_path: Path) -> None:
    """It takes itself away, so that a second signal disturbs no shutdown, or lets go of its frame: the program ends."""
    code = f"""
        import os, signal, sys, threading
        from failtrace import watch

        class Last(Exception):
            pass

        def last(number, frame):
            {how}

        @watch
        def work(value):
            return value

        signal.signal(signal.SIGTERM, last)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        try:
            while True:
                work(1)
        except Last:
            sys.exit(3)
        """

    assert [program(tmp_path, code).returncode for _ in range(5)] == [3] * 5


def test_a_tracer_is_heard(tmp_path: Path) -> None:
    """`sys.settrace` of a debugger or a time limit, which raises wherever it is."""
    done = program(
        tmp_path,
        """
        import sys
        from failtrace import watch

        class Enough(Exception):
            pass

        @watch
        def work(value):
            return value

        work(0)
        arrived = 0
        for lines in range(1, 60):
            left = lines
            def tracer(frame, event, given):
                global left
                if event == "line" and "failtrace" in frame.f_code.co_filename:
                    left -= 1
                    if left == 0:
                        raise Enough
                return tracer
            sys.settrace(tracer)
            try:
                work(1)
            except Enough:
                arrived += 1
            finally:
                sys.settrace(None)
            arrived += left > 0
        print(arrived)
        """,
    )

    assert (done.stdout, done.stderr) == ("59\n", "")


def test_the_second_key_pressed_in_an_event_loop_is_heard(tmp_path: Path) -> None:
    """asyncio's own handler raises it; the first one cancels the task, which is busy."""
    code = """
        import asyncio, os, signal, sys, threading
        from failtrace import watch

        @watch
        def work(value):
            return value

        async def main():
            for wait in (0.05, 0.1):
                threading.Timer(wait, os.kill, (os.getpid(), signal.SIGINT)).start()
            while True:
                work(1)

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            sys.exit(3)
        """

    assert [program(tmp_path, code).returncode for _ in range(3)] == [3] * 3


class Slow:
    """Ctrl-C comes while its text is made."""

    def __repr__(self) -> str:
        signal.raise_signal(signal.SIGINT)
        return "slow"


class Broken(Slow):
    """Raises KeyboardInterrupt itself, which nobody has pressed."""

    def __repr__(self) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("kind", "heard"), [(Slow, KeyboardInterrupt), (Broken, LookupError)])
def test_a_key_pressed_while_a_value_is_read_is_heard(kind: type, heard: type[BaseException]) -> None:
    """And what a value's own code raises is not."""

    @watch(name="fails")
    def fail(_: Any) -> None:
        raise LookupError

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(heard):
            fail(kind())
    finally:
        signal.signal(signal.SIGINT, before)

    assert len(recorded()) == (heard is LookupError)


def test_what_code_makes_of_itself_is_not_from_outside() -> None:
    """Whatever is raised by a statement, by C code or by a library, ours or not."""

    class Own(Exception):
        pass

    def raised(error: BaseException) -> BaseException:
        try:
            raise error
        except BaseException as caught:
            return caught

    def by_library() -> BaseException:
        try:
            json.loads("[")
        except ValueError as caught:
            return caught
        raise AssertionError

    def by_system() -> BaseException:
        try:
            Path("/nowhere/at/all").stat()
        except OSError as caught:
            return caught
        raise AssertionError

    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    own = [raised(kind()) for kind in (panic, Own, SystemExit, KeyboardInterrupt)]
    told = [*own, by_library(), by_system(), Own()]
    assert [came_from_outside(error) for error in told] == [False] * len(told)


class Alarm(Exception):
    """What a handler of the host's raises."""


def ring(*_: Any) -> None:
    """The handler."""
    raise Alarm


def break_inside() -> None:
    """Our own code breaks."""
    with FAULTS:
        {}["of ours"]


LIBRARY = """
def read():
    try:
        signal.raise_signal(signal.SIGALRM)
    except Exception as error:
        raise ValueError from error
"""


def test_what_a_library_of_ours_makes_its_own_is_heard() -> None:
    """As pydantic-settings does with all that comes up while it reads; but not what the host was handling before."""
    library = {"__name__": "pydantic_settings.sources", "signal": signal}
    exec(LIBRARY, library)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(Alarm), FAULTS:
            library["read"]()
        try:
            signal.raise_signal(signal.SIGALRM)
        except Alarm:
            break_inside()
    finally:
        signal.signal(signal.SIGALRM, before)

    (fault,) = GUARD.caught
    GUARD.caught.clear()
    assert str(fault).strip().endswith("KeyError: 'of ours'")


STEPS = """
WatchJournal.begin WatchJournal.charge WatchJournal._place WatchSegment.begin WatchSegment._put CallJournal.write
CallJournal._take CallJournal._make_room WatchSegment.append WatchedCall._failed WatchedCall._end WatchedCall._let_go
WatchedCapture.end Recorder.take CallJournal.ended
"""


@pytest.mark.parametrize("step", STEPS.split())
def test_an_interruption_leaves_nothing_under_way(step: str) -> None:
    """Whichever function of ours it comes into: no memory stays taken, and no call stays live in the journal."""
    rung = []

    def at(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and not rung and frame.f_code.co_qualname == step:
            rung.append(step)
            raise Alarm

    @watch
    def fail(_: str) -> None:
        raise LookupError

    before = sys.gettrace()
    try:
        sys.settrace(at)
        with pytest.raises((Alarm, LookupError)) as caught:
            fail("x" * 5000)
    finally:
        sys.settrace(before)
    assert recorder().flush()

    assert (rung, caught.type) == ([step], Alarm)
    assert JOURNAL._spent >= sum(JOURNAL._charges.values()) == 0
    assert [segment for segment in JOURNAL._segments if segment._live] == []

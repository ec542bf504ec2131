"""What a host does to its own process is its own affair: descriptors, signals, threads, the end of the program."""

import functools
import gc
import json
import os
import signal
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.watched import program, recorded, recovered

from failtrace import step, watch
from failtrace.mirror.mirror import Mirror
from failtrace.recorder import recorder
from failtrace.watching import status


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


def test_a_file_that_got_a_descriptor_s_number_is_left_alone(tmp_path: Path) -> None:
    """A host that closed all descriptors finds its own files as it wrote them, open; no call is lost or told twice."""
    done = program(
        tmp_path,
        """
        import os, signal
        from failtrace import step, watch
        from failtrace.capture.watch_journal import JOURNAL
        from failtrace.watching import status
        @watch(name="works")
        def works(fails):
            if fails: 1 // 0
        @watch(name="daemon")
        def daemonise():
            os.closerange(3, 256)
            return [open(f"{number}.bin", "w+b", buffering=0) for number in range(20)]
        works(False)
        os.chdir(os.environ["FAILTRACE_HOME"])
        files = daemonise()
        for file in files: file.write(b"A" * 2000)
        works(False)
        JOURNAL.retire()
        works(False)
        if os.fork() == 0:
            files[0].write(b"A")
            os._exit(0)
        assert os.wait()[1] == 0
        for file in files: assert not file.seek(0) and not file.read().strip(b"A"), file
        assert status().in_memory_alone == 0 and status().faults == 1, status()
        @watch(name="killed")
        def killed():
            os.closerange(3, 256)
            files.append(open("last.bin", "w+b"))
            try: works(True)
            except ZeroDivisionError: pass
            os.kill(os.getpid(), signal.SIGKILL)
        killed()
        """,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(record.subject.name for record in recovered()) == ["killed", "works"]


def test_sqlite_writes_into_no_file_of_the_host(tmp_path: Path) -> None:
    """A failure is stored, the program closes all descriptors and opens files of its own, and fails again: its files
    are what it wrote, and both failures are in the mirror."""
    done = program(
        tmp_path,
        """
        import os
        from failtrace import watch
        from failtrace.watching import flush, status
        @watch(name="fails")
        def fails(): 1 // 0
        def fail():
            try: fails()
            except ZeroDivisionError: pass
            assert flush(60)
        fail()
        os.closerange(3, 256)
        os.chdir(os.environ["FAILTRACE_HOME"])
        files = [open(f"{number}.bin", "w+b", buffering=0) for number in range(60)]
        for file in files: file.write(b"A" * 5000)
        fail()
        for file in files: assert not file.seek(0) and not file.read().strip(b"A"), file
        assert status().stored == 2, status()
        """,
    )

    assert done.returncode == 0, done.stderr
    for number in range(60):
        assert (tmp_path / "home" / f"{number}.bin").read_bytes() == b"A" * 5000
    with Mirror.open(tmp_path / "home" / "mirror.sqlite") as mirror:
        assert mirror.failures().total == 2
        assert mirror.is_sound()


def test_threads_that_begin_at_once_are_all_in_the_journal(tmp_path: Path) -> None:
    """The first call of each of 40 threads is there when the program is killed."""
    done = program(
        tmp_path,
        """
        import os, signal, sys, threading
        from failtrace import step, watch
        from failtrace.watching import status
        from failtrace.capture.watch_journal import WatchJournal
        slow = WatchJournal._create
        def slowly(self):
            gate.wait()
            return slow(self)
        WatchJournal._create = slowly
        gate, begun = threading.Event(), threading.Barrier(41)
        @watch(name="waits")
        def waits():
            begun.wait()
            threading.Event().wait()
        real = WatchJournal._next
        looking = threading.Semaphore(0)
        def next_of(self, *rest):
            looking.release()
            return real(self, *rest)
        WatchJournal._next = next_of
        for _ in range(40): threading.Thread(target=waits, daemon=True).start()
        for _ in range(40): looking.acquire()
        gate.set()
        begun.wait()
        assert status().in_memory_alone == 0, status()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(recovered()) == 40


@pytest.mark.parametrize("fails", [False, True], ids=["passes", "fails"])
def test_what_a_signal_s_handler_raises_reaches_the_host(fails: bool, tmp_path: Path) -> None:
    """Wherever in failtrace the signal comes; it is no fault, and the call leaves nothing under way."""
    done = program(
        tmp_path,
        f"""
        import inspect, os, signal, sys
        import failtrace
        from failtrace import step, watch
        from failtrace.watching import status
        class Timeout(OSError): pass
        def expired(*_): raise Timeout
        signal.signal(signal.SIGUSR1, expired)
        class Said:
            def __repr__(self): return "said"
        @watch(name="works", ignore=Timeout)
        def works(said):
            if {fails}: raise LookupError
        ours = failtrace.__file__.rpartition("/")[0]
        moments, place = 0, []
        # Where the interpreter looks for signals: as a function begins, and after one that is written in C.
        def follow(frame, event, _):
            global moments
            # Not as a generator is closed: what is raised there Python itself can only print.
            begins = event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR
            if (begins or event == "c_return") and frame.f_code.co_filename.startswith(ours):
                moments += 1
                if moments == at:
                    place[:] = frame.f_code.co_filename, frame.f_lineno
                    signal.raise_signal(signal.SIGUSR1)
        def attempt():
            sys.setprofile(follow)
            try: works(Said())
            except LookupError: pass
            finally: sys.setprofile(None)
        at = 0
        attempt()
        for at in range(1, 10_000):
            moments = 0
            try: attempt()
            except Timeout: continue
            assert moments < at, place
            break
        assert 30 < at < 9_000 and status().faults == 0, (at, status())
        assert failtrace.watching.flush()
        from failtrace.capture.watch_journal import JOURNAL
        print([number for segment in JOURNAL._segments for number in segment._live])
        """,
        env={**os.environ, "FAILTRACE_HOME": str(tmp_path / "other")},
    )

    assert done.returncode == 0, done.stderr
    # A call that failed may have been about to be handed over: the next recovery finds it with its end.
    assert fails or json.loads(done.stdout) == []


@pytest.mark.parametrize("told", ["function", "method", "partial", "object", "hostile"])
def test_a_handler_is_known_whatever_it_is(told: str) -> None:
    """A function, a method, a partial or an object with `__call__`; what it raises in a `repr` goes on its way too."""

    class Timeout(Exception):
        pass

    class Handler:
        def __call__(self, *_: Any) -> None:
            raise Timeout

        method = __call__

    def function(*_: Any) -> None:
        raise Timeout

    handlers: dict[str, Any] = {
        "function": function,
        "method": Handler().method,
        "partial": functools.partial(function, 1),
        "object": Handler(),
    }

    class Hostile(Handler):
        def __getattribute__(self, name: str) -> Any:
            raise ValueError(name)

    handlers["hostile"] = Hostile()

    class Slow:
        def __repr__(self) -> str:
            signal.raise_signal(signal.SIGUSR1)
            return "slow"

    @watch
    def fail(_: Any) -> None:
        raise LookupError

    before = signal.signal(signal.SIGUSR1, handlers[told])
    try:
        with pytest.raises(Timeout):
            fail(Slow())
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_call_that_forks_is_recorded_of_both(tmp_path: Path) -> None:
    """Also where the child ends at once; each has ids of its own, and the steps before the fork."""
    done = program(
        tmp_path,
        """
        import os
        from failtrace import step, watch
        @watch(name="forks")
        def forks():
            with step("before"): pass
            mine = os.fork() == 0
            if not mine: os.wait()
            raise ValueError("child" if mine else "parent")
        parent = os.getpid()
        try: forks()
        except ValueError: pass
        if os.getpid() != parent: os._exit(0)
        """,
    )
    assert done.returncode == 0, done.stderr

    records = recovered()

    told = {record.failure.message: [one.name for one in record.steps] for record in records if record.failure}
    assert told == {"ValueError: child": ["before"], "ValueError: parent": ["before"]}
    assert len({record.trace_id for record in records}) == len({record.environment.pid for record in records}) == 2
    assert recovered() == records


def test_a_recursion_that_went_too_deep_is_recorded_once(tmp_path: Path) -> None:
    """By a call with room to read it, with its frames; nothing counts as a fault, and no call stays under way."""
    done = program(
        tmp_path,
        """
        import os, signal
        from failtrace import step, watch
        from failtrace.watching import flush, status
        @watch(name="recurses")
        def recurses(number): return recurses(number + 1)
        try: recurses(0)
        except RecursionError as error: assert error.__context__ is None
        assert flush() and status().faults == 0, status()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    (record,) = recovered()
    assert record.failure is not None
    assert record.failure.message.startswith("RecursionError: maximum recursion depth exceeded")
    assert record.failure.error is not None
    assert "recurses(number + 1)" in record.failure.error.stacktrace


class Property(Exception):
    """Says of its class, its traceback and its cause what ends a program."""

    @property
    def __class__(self) -> Any:
        raise SystemExit

    __traceback__ = __cause__ = __notes__ = __class__


class Lookup(Exception):
    """The same for all attributes."""

    def __getattribute__(self, _: str) -> Any:
        raise SystemExit


class Meta(type):
    """Of a class that can neither be hashed nor compared."""

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


class Unhashable(metaclass=Meta):
    """An ordinary object of such a class."""


def test_an_object_of_an_unhashable_class_is_one_like_others() -> None:
    """As argument, as chunk, beside what is kept whole: nothing reaches the host, and the siblings are recorded."""
    odd, faults = Unhashable(), status().faults

    @watch(name="chunks", sample=1.0)
    def chunks() -> Iterator[Any]:
        yield odd
        yield [0.5] * 20 + [odd]

    @watch(name="fails")
    def fail(*_: Any, **__: Any) -> None:
        raise LookupError(["many"], odd)

    assert list(chunks()) == [odd, [0.5] * 20 + [odd]]
    for argument in (odd, {"token": odd, "items": (odd, "x")}):
        with pytest.raises(LookupError):
            fail(argument, "beside it", token=odd)

    sampled, *failed = recorded()
    assert isinstance(sampled.output, list)
    assert sampled.output[1][:20] == [0.5] * 20  # type: ignore[index]
    assert [record.subject.name for record in failed] == ["fails", "fails"]
    assert all("beside it" in str(record.input) and "Unhashable object" in str(record.input) for record in failed)
    assert status().faults == faults


@pytest.mark.parametrize("kind", [Property, Lookup])
def test_a_hostile_exception_reaches_the_host_as_it_is(kind: type[Exception]) -> None:
    """Nothing that it says of itself is heard; it is recorded."""

    @watch(name="fails")
    def fail() -> None:
        with step("raises"):
            raise kind

    caught: list[type] = []
    try:
        fail()
    except BaseException as error:
        caught.append(type(error))

    assert caught == [kind]
    assert [record.subject.name for record in recorded()] == ["fails"]


def test_argument_and_exception_die_as_without_watch() -> None:
    """With no garbage collector, as soon as the host lets go of them."""

    class Thing(Exception):
        pass

    @watch(name="outer")
    def outer(thing: Thing) -> None:
        inner(thing)

    @watch(name="inner")
    def inner(thing: Thing) -> None:
        with step("raises"):
            raise Thing

    given = Thing()
    died = [weakref.ref(given)]
    gc.disable()
    try:
        try:
            outer(given)
        except Thing as error:
            died.append(weakref.ref(error))
        del given
        assert [one() for one in died] == [None, None]
    finally:
        gc.enable()

"""What `watch` promises a host, one promise a test."""

import asyncio
import functools
import inspect
import json
import os
import signal
import subprocess
import sys
import time
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from pydantic import BaseModel
from support.watched import program, recorded, recovered

from failtrace import watch
from failtrace.capture import watch_journal
from failtrace.capture.watch_status import FOLDER, MAX_FILES, write_status
from failtrace.capture.watch_story import DROPPED, SAMPLE
from failtrace.contracts import FailureType, VerdictStatus
from failtrace.errors import SubjectError
from failtrace.guard import GUARD
from failtrace.health import examine
from failtrace.recorder import recorder
from failtrace.watching import status, watch_faults


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


class Shop:
    """Every kind of method."""

    @watch
    def plain(self, value: int) -> int:
        """Plain."""
        return 1 // value

    @classmethod
    @watch
    def of_class(cls, value: int) -> int:
        """Of the class."""
        return 1 // value

    @watch
    @staticmethod
    def static(value: int) -> int:
        """Static."""
        return 1 // value

    @watch
    async def later(self, value: int) -> int:
        """Later."""
        return 1 // value

    @watch
    def parts(self, value: int) -> Iterator[int]:
        """In parts."""
        yield 1 // value

    @watch
    async def parts_later(self, value: int) -> AsyncIterator[int]:
        """In parts, later."""
        yield 1 // value


def drained(made: Any) -> Any:
    """The result of whatever a function of any kind gave."""
    if inspect.isasyncgen(made):
        return asyncio.run(anext(made))
    if inspect.isgenerator(made):
        return next(made)
    return asyncio.run(made) if inspect.iscoroutine(made) else made


@pytest.mark.parametrize("name", ["plain", "of_class", "static", "later", "parts", "parts_later"])
def test_every_kind_of_function_stays_what_it_is(name: str) -> None:
    """Result, exception, kind, name, doc and signature; one frame more; a record of the failure alone."""
    method = getattr(Shop(), name)
    bare = inspect.unwrap(method)

    assert drained(method(1)) == 1
    with pytest.raises(ZeroDivisionError) as raised:
        drained(method(0))

    for kind in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        assert kind(method) == kind(bare)
    assert (method.__name__, method.__doc__) == (bare.__name__, bare.__doc__)
    assert list(inspect.signature(method).parameters) == ["value"]
    ours = [frame for frame in raised.traceback if "failtrace" in str(frame.path) and "tests" not in str(frame.path)]
    assert len(ours) == 1
    (record,) = recorded()
    assert record.failure is not None
    assert record.failure.message.startswith("ZeroDivisionError")
    assert record.subject.name.endswith(f"Shop.{name}")


class Later(BaseModel):
    """A class that annotations name by a text."""


def told_by_types(a: int, /, b: float = 2.0, *rest: bytes, c: str = "x", **others: Any) -> Later: ...  # type: ignore[empty-body]


def told_by_texts(a: "int", b: "Later | None" = None, *, c: str = "x") -> "Later": ...  # type: ignore[empty-body]


class Told:
    def method(self, a: int, *, b: str = "x") -> None: ...


SIGNED: dict[str, Any] = {
    "types": told_by_types,
    "texts": told_by_texts,
    "method": Told.method,
    "partial": functools.partial(told_by_types, 1),
    "bound method": Told().method,
    "class": functools.partial(Later),
    "builtin": int.__add__,
    "without": getattr,
}


@pytest.mark.parametrize("name", SIGNED)
def test_the_signature_is_what_it_was(name: str) -> None:
    """However it is asked for, of the function, a partial of it, and a wrapper around it; its type hints too."""

    def asked(how: Callable[[Any], Any], about: Any) -> Any:
        try:
            return how(about)
        except (TypeError, ValueError) as error:
            return type(error)

    def evaluated(about: Any) -> Any:
        return inspect.signature(about, eval_str=True)

    bare, watched = SIGNED[name], watch(SIGNED[name])

    for how in (inspect.signature, evaluated, typing.get_type_hints):
        if how is not typing.get_type_hints or hasattr(bare, "__annotations__"):
            assert asked(how, watched) == asked(how, bare)
        assert asked(how, functools.wraps(watched)(lambda: None)) == asked(how, functools.wraps(bare)(lambda: None))
    assert asked(inspect.signature, functools.partial(watched, 7)) == asked(
        inspect.signature, functools.partial(bare, 7)
    )
    if name in ("types", "method"):
        assert inspect.getfullargspec(watched) == inspect.getfullargspec(bare)


def test_the_exception_is_the_same_object_with_what_it_came_from() -> None:
    """Cause, notes and attributes are untouched."""
    error = LookupError("gone")
    error.add_note("a note")

    @watch
    def fail() -> None:
        raise error from KeyError("why")

    with pytest.raises(LookupError) as raised:
        fail()
    assert raised.value is error
    assert (type(error.__cause__), error.__notes__) == (KeyError, ["a note"])


class Answer(BaseModel):
    number: int


def test_contracts_evidence_and_slowness_are_judged_aside() -> None:
    """The host gets what the function returned, whatever is thought of it."""
    wrong = watch(name="wrong", output_model=Answer)(lambda: {"number": "seven"})
    claims = watch(name="claims", evidence=lambda _: ["The store closes at 18:00."])(lambda: "It closes at 21:00.")
    slow = watch(name="slow", timeout=1e-9)(lambda: "late")

    assert (wrong(), claims(), slow()) == ({"number": "seven"}, "It closes at 21:00.", "late")
    assert {record.subject.name: record.failure.failure_type for record in recorded() if record.failure} == {
        "wrong": FailureType.VALIDATION_ERROR,
        "claims": FailureType.HALLUCINATION_FLAG,
        "slow": FailureType.TIMEOUT,
    }


def test_a_share_of_what_passes_is_kept_when_asked() -> None:
    """All, none, or a share that the record tells of."""
    every, none = watch(name="every", sample=1.0)(lambda: 1), watch(name="none")(lambda: 1)
    some = watch(name="some", sample=0.5)(lambda: 1)

    for _ in range(40):
        every(), none(), some()

    found = [record.subject.name for record in recorded()]
    assert (found.count("every"), found.count("none")) == (40, 0)
    assert 0 < found.count("some") < 40
    assert {record.attributes[SAMPLE] for record in recorded()} == {1.0, 0.5}


def test_what_is_to_be_ignored_is() -> None:
    """By its type, subtypes too; others are recorded."""
    fail = watch(name="fail", ignore=LookupError)(lambda error: (_ for _ in ()).throw(error))

    for error in (KeyError("a"), IndexError("b"), ValueError("c")):
        with pytest.raises(type(error)):
            drained(fail(error))

    assert [record.failure.message for record in recorded() if record.failure] == ["ValueError: c"]


@pytest.mark.parametrize(
    "wrong", [{"sample": 2}, {"sample": True}, {"ignore": 7}, {"ignore": (int,)}, {"timeout": -1.0}], ids=str
)
def test_an_option_that_cannot_be_used_is_one_sentence(wrong: dict[str, Any]) -> None:
    """At the decoration, before anything runs."""
    with pytest.raises(SubjectError) as raised:
        watch(**wrong)(lambda: 1)
    assert str(raised.value).count("\n") == 0


def test_nested_calls_of_one_function_are_one_failure() -> None:
    """The innermost has it; a watched function around it with another name has its own."""

    @watch(name="inner")
    def inner(depth: int) -> int:
        return inner(depth - 1) if depth else 1 // 0

    outer = watch(name="outer")(lambda: inner(3))
    with pytest.raises(ZeroDivisionError):
        outer()

    assert sorted(record.subject.name for record in recorded()) == ["inner", "outer"]


def test_memory_is_bounded_and_what_goes_beyond_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call whose end finds no room is dropped, which a later record tells; the host notices nothing."""
    fail = watch(name="fail")(lambda text: 1 // 0)
    before = status().dropped
    # The real budget of 64 MB would take a while to fill.
    with monkeypatch.context() as patch:
        patch.setattr(watch_journal, "MAX_MEMORY", 10)
        with pytest.raises(ZeroDivisionError):
            fail("x" * 100_000)
    with pytest.raises(ZeroDivisionError):
        fail("short")

    (record,) = recorded()
    assert record.input == {"args": ["short"], "kwargs": {}}
    assert record.attributes[DROPPED] == status().dropped == before + 1


def test_the_host_s_own_tracing_is_left_alone(tmp_path: Path) -> None:
    """A provider that the host sets afterwards is taken, ours is only a processor of it, and its exporter gets all."""
    done = program(
        tmp_path,
        """
        from failtrace import watch, step
        @watch(name="early")
        def early():
            with step("a"): 1 // 0
        def attempt():
            try: early()
            except ZeroDivisionError: pass
        attempt()
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        exporter, mine = InMemorySpanExporter(), TracerProvider()
        mine.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(mine)
        with trace.get_tracer("host").start_as_current_span("request"): attempt()
        assert trace.get_tracer_provider() is mine
        print([span.name for span in exporter.get_finished_spans()])
        """,
    )

    assert done.stdout.strip() == "['a', 'request']", done.stderr
    assert [[step.name for step in record.steps] for record in recorded()] == [["a"], ["a"]]
    assert not isinstance(trace.get_tracer_provider(), type(None))


def test_calls_of_a_killed_host_become_records(tmp_path: Path) -> None:
    """One under way with its open step, one that had failed, none that had passed; a second recovery finds nothing."""
    done = program(
        tmp_path,
        """
        import os, signal
        from failtrace import watch, step
        from failtrace.recorder import Recorder
        Recorder._record = lambda self, ended: os.kill(os.getpid(), signal.SIGKILL)
        @watch(name="works")
        def works(fails):
            with step("work"): return 1 // (not fails)
        works(False)
        @watch(name="around")
        def around():
            with step("wait"):
                try: works(True)
                except ZeroDivisionError: pass
                while True: pass
        around()
        """,
    )
    assert done.returncode == -signal.SIGKILL

    command = [sys.executable, "-m", "failtrace", "recover", "--json"]
    first, second = (
        json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
        for _ in range(2)
    )
    assert (first["failures"], second["failures"]) == (2, 0)
    found = {record.subject.name: record for record in recorded()}
    assert set(found) == {"works", "around"}
    lost = found["around"].failure
    assert lost is not None
    assert lost.termination is not None
    waited = [step.step_id for step in found["around"].steps if step.name == "wait"]
    assert [lost.termination.last_open_step_id] == waited


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"], ids=["kill", "_exit"])
def test_a_call_whose_evidence_could_not_be_asked_becomes_a_record(end: str, tmp_path: Path) -> None:
    """Whether its output holds is not known, which its verdict says; one that broke its contract is a failure still."""
    program(
        tmp_path,
        f"""
        import os, signal, threading
        from failtrace import watch
        asked = threading.Event()
        def evidence(given):
            asked.set()
            threading.Event().wait()
        watch(name="claims", evidence=evidence)(lambda: "It closes at 21:00.")()
        watch(name="breaks", evidence=evidence, output_model=int)(lambda: "It closes at 21:00.")()
        asked.wait()
        {end}
        """,
    )

    found = {record.subject.name: record for record in recovered()}

    assert {name: record.failure and record.failure.failure_type for name, record in found.items()} == {
        "claims": None,
        "breaks": FailureType.VALIDATION_ERROR,
    }
    for record in found.values():
        (verdict,) = [one for one in record.verdicts if one.detector.name == "grounding"]
        assert (verdict.status, record.output) == (VerdictStatus.ERRORED, "It closes at 21:00.")
    assert recovered() == list(found.values())


def test_two_that_recover_at_once_make_no_record_twice(tmp_path: Path) -> None:
    """Many calls of a host that was killed, and four recoverers."""
    done = program(
        tmp_path,
        """
        import os, signal
        from failtrace import watch
        from failtrace.recorder import Recorder
        Recorder._record = lambda self, ended: None
        @watch(name="fails")
        def fails(number): 1 // 0
        for number in range(200):
            try: fails(number)
            except ZeroDivisionError: pass
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert done.returncode == -signal.SIGKILL

    command = [sys.executable, "-m", "failtrace", "recover", "--json"]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counted = [json.loads(one.communicate(timeout=60)[0])["failures"] for one in several]

    records = recorded()
    assert sum(counted) == len(records) == 200
    assert {record.input["args"][0] for record in records} == set(range(200))  # type: ignore[index, call-overload]


def test_trouble_is_told_by_doctor_and_the_health_page(clean_environment: Path) -> None:
    """Also when the program is long gone."""
    clean_environment.mkdir(parents=True, exist_ok=True)
    (clean_environment / "journal").write_text("a file where the folder should be")
    fail = watch(name="fail")(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert recorder().finish()

    (told,) = watch_faults()
    assert (told.pid, told.faults > 0) == (os.getpid(), True)
    assert status().faults >= told.faults
    (finding,) = [finding for finding in examine() if finding.check == "watch"]
    assert (finding.state, "on no disk" in finding.detail) == ("warning", True)
    GUARD.caught.clear()


def test_the_trouble_of_processes_with_one_pid_is_all_told(tmp_path: Path, clean_environment: Path) -> None:
    """As of containers on one home, each of which begins with pid 1; a process has one word on it, its last."""
    for name in ("first", "restarted"):
        done = program(
            tmp_path,
            f"""
            import os
            from failtrace.capture.watch_status import FOLDER, WatchStatus, write_status
            from failtrace.settings import Settings
            def tell(program):
                write_status(Settings.load().home / FOLDER, WatchStatus(
                    pid=1, program=program, at=0.0, waiting=0, stored=0, left=0, dropped=1, in_memory_alone=0, faults=0,
                    last_fault=None,
                ))
            tell("before")
            tell({name!r})
            if os.fork() == 0:
                tell("child of {name}")
                os._exit(0)
            os.wait()
            """,
        )
        assert done.returncode == 0, done.stderr

    assert {told.program for told in watch_faults()} == {"first", "restarted", "child of first", "child of restarted"}
    assert list((clean_environment / FOLDER).glob("*.half")) == []


def test_words_on_trouble_are_bounded(clean_environment: Path) -> None:
    """A program that is started again and again leaves the newest; what a killed one left half written goes too."""
    folder = clean_environment / FOLDER
    folder.mkdir(parents=True)
    for number in range(MAX_FILES + 50):
        for last in (".status.json", ".status.half"):
            (folder / f"1-{number}{last}").touch()
            os.utime(folder / f"1-{number}{last}", (time.time() - 1000 + number,) * 2)
    old = folder / "2-old.status.half"
    old.touch()
    os.utime(old, (0, 0))

    write_status(folder, status())

    kept = sorted(path.name for path in folder.iterdir())
    assert len(kept) == 2 * MAX_FILES + 1
    assert "1-49.status.json" not in kept
    assert "1-50.status.json" in kept
    assert old.name not in kept


def test_a_host_whose_folder_is_gone_is_recorded(tmp_path: Path) -> None:
    """As a daemon's is, whose release was replaced."""
    done = program(
        tmp_path,
        """
        import os, tempfile
        from failtrace import watch
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)

        @watch(name="fails")
        def fail():
            raise LookupError

        try:
            fail()
        except LookupError:
            print("raised")
        """,
        env={**os.environ, "FAILTRACE_HOME": str(Path(os.environ["FAILTRACE_HOME"]).absolute())},
    )

    assert (done.stdout, done.stderr) == ("raised\n", "")
    assert [record.subject.name for record in recorded()] == ["fails"]


def test_what_begins_a_call_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand arguments, a name of megabytes; what all calls hold; and it is told where it is full."""
    # The real 64 MB would take thousands of coroutines.
    monkeypatch.setattr(watch_journal, "MAX_MEMORY", 20_000)

    @watch
    def fail(*_: Any, **__: Any) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        fail(*range(100_000))
    with pytest.raises(LookupError):
        fail(**{"x" * 5_000_000: 1})
    many, long_name = recorded()
    assert max(len(json.dumps(record.input)) for record in (many, long_name)) < 20_000

    dropped = status().dropped
    assert watch_journal.JOURNAL._spent == 0
    waiting = [hold("x" * 200, "y" * 3000) for _ in range(20)]
    for held in waiting:
        next(held)
    assert status().dropped > dropped
    for held in waiting:
        held.close()
    assert watch_journal.JOURNAL._spent == 0


@watch
def hold(*_: Any) -> Iterator[int]:
    """A call that stays under way."""
    yield 1


def test_an_output_too_large_to_be_judged_is_left_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Its caller would wait; once for each function it is said."""

    @watch(name="rows", output_model=dict[str, list[int]], sample=1.0)
    def rows(count: int) -> dict[str, list[Any]]:
        return {"rows": ["no number"] * count}

    assert len(rows(50_000)["rows"]) == len(rows(50_000)["rows"]) == 50_000
    rows(3)

    large, _, small = recorded()
    assert (large.failure, small.failure and small.failure.failure_type) == (None, FailureType.VALIDATION_ERROR)
    assert [verdict.reason for verdict in large.verdicts if "20,000" in verdict.reason]
    assert [record.getMessage() for record in caplog.records if "'rows'" in record.getMessage()] == [
        "Outputs of the watched 'rows' are not held against its output_model. The output has more than 20,000 items, "
        "for which its caller would wait."
    ]


def test_a_provider_that_takes_no_processor_is_let_be(tmp_path: Path) -> None:
    """Steps go through a provider of ours; the host's is not touched."""
    done = program(
        tmp_path,
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from failtrace import step, watch

        class Sealed(TracerProvider):
            def add_span_processor(self, processor):
                raise PermissionError("sealed")

        trace.set_tracer_provider(Sealed())

        @watch(name="sealed")
        def work():
            with step("inside", value=1) as inside:
                inside.output = 2
            raise LookupError

        try:
            work()
        except LookupError:
            print("raised")
        """,
    )

    assert (done.stdout, done.stderr) == ("raised\n", "")
    (record,) = recorded()
    assert [(step.name, step.output) for step in record.steps] == [("inside", 2)]


def test_a_dropped_call_is_counted_in_the_records_that_follow() -> None:
    """Where the queue is full and no disk holds the call, it is gone, and later records say how many are."""
    before = status().dropped
    watch_journal.JOURNAL.count_dropped()
    fail = watch(name="fail")(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        fail()

    (record,) = recorded()
    assert record.attributes[DROPPED] == before + 1

"""What a subject may use: each limit ends what exceeds it, the record says so, and nothing else is touched by it."""

import asyncio
import errno
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

from failtrace import Subject, run_with_failure_detection, step, subject
from failtrace.contracts import Crashed, FailureEvent, Raised, Returned, TimedOut, TraceRecord
from failtrace.errors import SubjectError
from failtrace.execution.forkserver import forkserver
from failtrace.execution.limits import ROOM, MemoryLimit
from failtrace.subjects.limits import LIMIT_MET, LIMITS, LIMITS_NOT_ENFORCED, MOST, Limits
from failtrace.subjects.subject import source_of

MIB = 1024 * 1024
linux = pytest.mark.skipif(sys.platform != "linux", reason="enforced on Linux")


def run(function: Any, value: Any = None, *, timeout: float = 20, isolation: Any = "process", **limits: Any) -> Any:
    limited = Subject(name="limited", function=function, source=source_of(function), timeout=timeout, **limits)
    return run_with_failure_detection(limited, value, isolation=isolation)[1]


def failure_of(record: TraceRecord) -> FailureEvent:
    assert record.failure is not None
    return record.failure


def met(record: TraceRecord) -> Any:
    return record.attributes.get(LIMIT_MET)


def compute(_: Any) -> None:
    with step("compute"):
        while True:
            pass


async def compute_in_a_loop(_: Any) -> None:
    with step("compute"):
        while True:
            await asyncio.sleep(0)


def compute_in_thousand_pieces(_: Any) -> None:
    """The children compute, and are waited for."""
    while True:
        if not os.fork():
            until = time.process_time() + 0.01
            while time.process_time() < until:
                pass
            os._exit(0)
        os.wait()


def compute_whatever_is_said(_: Any) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    with step("compute"):
        while True:
            pass


def sleep(_: Any) -> str:
    time.sleep(0.6)
    return "slept"


def talk(count: int) -> str:
    with step("talk"):
        print("x" * (count // 2), end="")
        print("y" * (count - count // 2), end="", file=sys.stderr)
    return "said"


def talk_for_ever(_: Any) -> None:
    with step("talk"):
        while True:
            os.write(1, b"x" * 4096)


def plan(steps: int) -> str:
    for number in range(steps):
        try:
            with step(f"plan {number}"):
                pass
        except BaseException:
            return "caught"
    return "planned"


def plan_elsewhere(steps: int) -> str:
    """Spans of another library, and steps of a forked child, which are nobody's."""
    child = os.fork()
    for _ in range(steps if child else 100):
        with trace.get_tracer("somebody.else").start_as_current_span("plan"):
            pass
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return "planned"


def multiply(count: int) -> str:
    with step("multiply"):
        for _ in range(count - 1):
            if not os.fork():
                time.sleep(60)
                os._exit(0)
        time.sleep(0.5)
    return "many"


def multiply_apart(_: Any) -> None:
    """Each in a session of its own, where no signal to a group reaches it."""
    for _ in range(5):
        os.fork()
        os.setsid() if os.getpid() != os.getsid(0) else None
    time.sleep(60)


def hoard(size: int) -> None:
    kept = []
    with step("hoard"):
        while True:
            kept.append(bytearray(size))


def hoard_by_steps(size: int) -> None:
    """The limit may be met anywhere inside failtrace."""
    kept = []
    with step("hoard"):
        while True:
            with step("take", size=size) as take:
                kept.append([bytearray(size), str(size)])
                take.set_attribute("held", len(kept))


def hoard_names(_: Any) -> None:
    kept = {}
    with step("hoard"):
        for number in range(10**9):
            kept[str(number)] = object()


def hoard_again(_: Any) -> str:
    kept: list[bytearray] = []
    for _ in range(3):
        try:
            with step("hoard"):
                while True:
                    kept.append(bytearray(MIB))
        except MemoryError:
            continue
    return f"{len(kept)} MiB"


def abort_for_want_of_memory(words: str) -> None:
    with step("native"):
        os.write(2, words.encode())
        os.abort()


def test_processor_time_is_limited() -> None:
    """A subject that computes beyond its limit is a timeout whose evidence is processor time, with its stacks."""
    record = run(compute, cpu_limit_s=0.2)

    outcome, failure = record.outcome, failure_of(record)
    assert isinstance(outcome, TimedOut)
    assert outcome.termination is not None
    assert (outcome.limit_s, outcome.enforced, outcome.termination.signal) == (0.2, True, "SIGXCPU")
    assert outcome.elapsed_s >= 0.2
    assert "compute" in outcome.stacks
    assert failure.message.startswith("The subject used 0.")
    assert "of processor time; its limit is 0.2 s. The open step was 'compute'." in failure.message
    assert failure.evidence[0].kind == "deadline_exceeded"
    assert failure.fingerprint_parts[-1] == "met its cpu_limit_s"
    assert (met(record)["name"], met(record)["limit"]) == ("cpu_limit_s", 0.2)


def test_waiting_is_no_processor_time() -> None:
    """A subject that sleeps longer than its limit passes; the record tells what its limits were."""
    record = run(sleep, cpu_limit_s=0.3)

    assert (record.failure, record.output) == (None, "slept")
    assert record.attributes == {LIMITS: {"cpu_limit_s": 0.3}}


@pytest.mark.parametrize(
    "function",
    [
        compute_in_a_loop,
        pytest.param(compute_in_thousand_pieces, marks=linux),
        pytest.param(compute_whatever_is_said, marks=linux),
    ],
    ids=lambda function: function.__name__,
)
def test_processor_time_is_limited_whoever_takes_it(function: Any) -> None:
    """In an event loop, in processes that are gone by now, or deaf to SIGXCPU."""
    record = run(function, cpu_limit_s=0.3)

    assert isinstance(record.outcome, TimedOut)
    assert met(record)["name"] == "cpu_limit_s"


@pytest.fixture
def no_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A subject whose supervisor sees no process but its own, as where there is no /proc."""
    (tmp_path / "blind.py").write_text(
        "import os\n"
        "from failtrace.execution import usage\n"
        "if os.environ.get('ZOO_ELSEWHERE'):\n"
        "    usage.can_tell_families = lambda: False\n"
        "def compute(_):\n"
        "    while True:\n"
        "        pass\n"
    )
    forkserver().close()
    monkeypatch.syspath_prepend(str(tmp_path))
    import blind  # type: ignore[import-not-found]

    monkeypatch.setenv("ZOO_ELSEWHERE", "yes")
    yield blind.compute
    forkserver().close()
    del sys.modules["blind"]


def test_the_kernel_limits_processor_time_where_nobody_else_can(no_proc: Any) -> None:
    """By RLIMIT_CPU, in whole seconds: the same record."""
    record = run(no_proc, cpu_limit_s=0.5)

    assert isinstance(record.outcome, TimedOut)
    assert "compute" in record.outcome.stacks
    assert met(record)["name"] == "cpu_limit_s"
    assert record.outcome.elapsed_s >= 0.5


def test_output_is_limited() -> None:
    """A subject that never stops printing is ended; its stacks are where a crash would have written them."""
    record = run(talk_for_ever, output_limit_bytes=100_000)

    outcome, failure = record.outcome, failure_of(record)
    assert isinstance(outcome, Crashed)
    assert outcome.reason.endswith("bytes to stdout and stderr; its limit is 100,000.")
    assert failure.message == f"{outcome.reason} The open step was 'talk'."
    assert failure.failure_type.value == "exception"
    assert failure.fingerprint_parts[-1] == "met its output_limit_bytes"
    assert "talk_for_ever" in record.logs.stderr.text
    assert 100_000 < met(record)["reached"] <= record.logs.stdout.total_bytes


@pytest.mark.parametrize(
    ("said", "fails"), [(9_999, False), (10_000, False), (10_001, True), (60_000, True)], ids=lambda value: str(value)
)
def test_whether_output_was_too_much_is_no_matter_of_a_moment(said: int, fails: bool) -> None:
    """Both streams count, to the byte, also for a subject that returned before anybody looked."""
    record = run(talk, said, output_limit_bytes=10_000)

    assert isinstance(record.outcome, Crashed if fails else Returned)
    assert (record.failure is not None, record.output) == (fails, None if fails else "said")
    assert (10_000 < met(record)["reached"] <= said) if fails else met(record) is None


@pytest.mark.parametrize("function", [plan, plan_elsewhere], ids=["ours", "of-a-library"])
def test_steps_are_limited(function: Any) -> None:
    """The step beyond the limit ends the process, whatever the subject catches; those before it are recorded."""
    passed, ended = run(function, 5, step_limit=5), run(function, 6, step_limit=5)

    assert (passed.failure, passed.output, len(passed.steps)) == (None, "planned", 5)
    assert isinstance(ended.outcome, Crashed)
    assert ended.outcome.reason == "The subject began step 6; its limit is 5 steps."
    assert (ended.outcome.termination.exit_code, ended.outcome.termination.signal) == (None, None)
    counted = ended.completeness
    assert (counted.steps_started, counted.steps_recorded, counted.steps_dropped) == (6, 5, 1)
    assert function.__name__ in ended.logs.stderr.text
    assert failure_of(ended).fingerprint_parts[-1] == "met its step_limit"


@linux
def test_processes_are_limited() -> None:
    """As many as are allowed may be there, its own included; one more ends them all."""
    passed, ended = run(multiply, 4, process_limit=4), run(multiply, 5, process_limit=4)

    assert (passed.failure, passed.output) == (None, "many")
    assert isinstance(ended.outcome, Crashed)
    assert failure_of(ended).message == (
        "The subject had 5 processes at once; its limit is 4. The open step was 'multiply'."
    )
    assert ended.outcome.termination.signal == "SIGKILL"
    assert ended.outcome.termination.out_of_memory in (None, False)


@linux
def test_no_process_escapes_its_limit() -> None:
    """Sessions of their own help none of them, and the next execution begins with nobody there."""
    ended = run(multiply_apart, process_limit=8)

    assert met(ended)["name"] == "process_limit"
    assert run(multiply, 2, process_limit=2).failure is None


@linux
@pytest.mark.parametrize("function", [hoard, hoard_by_steps, hoard_names], ids=lambda function: function.__name__)
def test_memory_that_runs_out_inside_a_step_is_a_memory_error(function: Any) -> None:
    """Wherever the limit is met, also inside failtrace, the record names the step, and no process aborts."""
    limits = [8 * MIB + offset * 28_672 for offset in range(8)]
    records = [run(function, 4000 + offset, memory_limit_bytes=limit) for offset, limit in enumerate(limits)]

    assert [record.outcome.kind for record in records] == ["raised"] * len(records)
    for record, limit in zip(records, limits, strict=True):
        failure = failure_of(record)
        assert failure.error is not None
        assert failure.error.type == "MemoryError"
        assert (
            failure.message
            == f"MemoryError. The subject may allocate {limit:,} bytes beyond what its process starts with."
        )
        assert met(record) == {"name": "memory_limit_bytes", "limit": limit, "reached": None}
        named = next(item.name for item in record.steps if item.step_id == failure.step_id)
        assert named in ("hoard", "take")


def load_a_model(size: int) -> bytearray:
    try:
        return bytearray(size)
    except MemoryError as error:
        raise RuntimeError("could not load the model") from error


async def load_at_once(size: int) -> None:
    async def load() -> None:
        bytearray(size)

    async with asyncio.TaskGroup() as group:
        group.create_task(load())


def map_pages(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def start_a_thread(size: int) -> None:
    threading.stack_size(size)
    threading.Thread(target=threading.get_ident).start()


@linux
@pytest.mark.parametrize(
    "function", [load_a_model, load_at_once, map_pages, start_a_thread], ids=lambda function: function.__name__
)
def test_a_memory_limit_is_told_whatever_was_made_of_its_error(function: Any) -> None:
    """What came from a MemoryError, or holds one, met the limit as well, and so did what the system refused."""
    record = run(function, 300 * MIB, memory_limit_bytes=64 * MIB)

    assert met(record) == {"name": "memory_limit_bytes", "limit": 64 * MIB, "reached": None}
    assert failure_of(record).message.endswith("may allocate 67,108,864 bytes beyond what its process starts with.")


class Unwilling(OSError):
    """Whoever asks it for its number, rather than its class, hears nothing."""

    @property
    def errno(self) -> int:  # type: ignore[override]
        raise SystemExit


def raise_another(error: BaseException) -> None:
    raise error


@linux
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOENT, "gone"), Unwilling(errno.EIO, "broken"), RuntimeError("out of luck"), OSError()],
    ids=repr,
)
def test_another_error_met_no_memory_limit(error: BaseException) -> None:
    """Only what the system says of memory is said of the limit."""
    assert met(run(raise_another, error, memory_limit_bytes=64 * MIB)) is None


@linux
def test_a_limit_that_was_met_is_still_there() -> None:
    """What failtrace took to describe a failing step is given back: the subject gets no more by catching."""
    record = run(hoard_again, memory_limit_bytes=32 * MIB)

    assert record.failure is None
    assert len(record.steps) == 3
    assert int(record.output.partition(" ")[0]) < 40


@linux
def test_the_memory_limit_nests_and_ends() -> None:
    """It is back when the last of those who lifted it is through; what follows the subject has room, but not all."""

    def takes(size: int) -> bool:
        try:
            return len(bytearray(size)) == size
        except MemoryError:
            return False

    def nest(_: Any) -> list[bool]:
        limit = MemoryLimit(MIB)
        seen = [takes(32 * MIB)]
        limit.lift()
        limit.lift()
        seen.append(takes(32 * MIB))
        limit.lower()
        seen.append(takes(32 * MIB))
        limit.lower()
        seen.append(takes(32 * MIB))
        limit.end()
        return [*seen, takes(32 * MIB), takes(2 * ROOM)]

    assert run(nest).output == [False, True, True, False, True, False]


@linux
@pytest.mark.parametrize(
    ("words", "limit", "expected"),
    [
        ("memory allocation of 4096 bytes failed\n", 64 * MIB, "memory_limit_bytes"),
        ("terminate called after throwing an instance of 'std::bad_alloc'\n", 64 * MIB, "memory_limit_bytes"),
        ("assertion failed\n", 64 * MIB, None),
        ("memory allocation of 4096 bytes failed\n", None, None),
    ],
    ids=["rust", "c++", "another-reason", "no-limit"],
)
def test_native_code_that_aborts_for_want_of_memory(words: str, limit: int | None, expected: str | None) -> None:
    """It cannot raise; what it says before it aborts tells which limit it met."""
    record = run(abort_for_want_of_memory, words, memory_limit_bytes=limit)

    assert isinstance(record.outcome, Crashed)
    assert record.outcome.termination.signal == "SIGABRT"
    assert (met(record) or {"name": None})["name"] == expected
    assert ("may allocate" in failure_of(record).message) is (expected is not None)


def test_a_memory_error_without_a_limit_is_one() -> None:
    """Nobody is blamed for what no limit refused."""

    def run_out(_: Any) -> None:
        raise MemoryError("too much")

    record = run(run_out)

    assert isinstance(record.outcome, Raised)
    assert (failure_of(record).message, record.attributes) == ("MemoryError: too much", {})


def test_the_deadline_is_no_limit_s() -> None:
    """A subject that is late within its limits is a timeout as ever."""
    record = run(compute, timeout=0.3, cpu_limit_s=30.0, step_limit=5, output_limit_bytes=1000)

    assert isinstance(record.outcome, TimedOut)
    assert (record.outcome.limit_s, met(record)) == (0.3, None)
    assert failure_of(record).message == "Ended at its limit of 0.3 s. The open step was 'compute'."


def test_inline_says_what_nothing_keeps() -> None:
    """The host's own process is not limited, and the record does not pretend it was."""
    limits = {
        "memory_limit_bytes": MIB,
        "cpu_limit_s": 1.0,
        "output_limit_bytes": 10,
        "step_limit": 1,
        "process_limit": 1,
    }
    record = run(plan, 2, isolation="inline", **limits)

    assert (record.failure, record.output) == (None, "planned")
    assert record.attributes == {LIMITS: limits, LIMITS_NOT_ENFORCED: list(limits)}


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("memory_limit_bytes", 0),
        ("memory_limit_bytes", 1.5),
        ("cpu_limit_s", -1),
        ("cpu_limit_s", float("nan")),
        ("cpu_limit_s", float("inf")),
        ("output_limit_bytes", "1 MB"),
        ("step_limit", True),
        ("process_limit", 2**70),
        ("memory_limit_bytes", sys.maxsize),
        ("cpu_limit_s", sys.maxsize),
    ],
)
def test_a_limit_that_cannot_be_is_refused(limit: str, value: Any) -> None:
    """One sentence names the limit, the subject and what to give."""
    with pytest.raises(
        SubjectError, match=rf"The {limit} of 'greedy' is .*; give (a whole number|seconds) above 0 and up to [\d,]+\."
    ):
        subject(name="greedy", **{limit: value})(lambda _: None)


def test_limits_are_declared_with_the_subject() -> None:
    """The decorator takes each, and the subject tells those that are set."""

    @subject(name="modest", memory_limit_bytes=MIB, cpu_limit_s=2, process_limit=3)
    def modest(_: Any) -> None: ...

    declared: Subject = modest.__failtrace_subject__  # type: ignore[attr-defined]
    assert declared.limits == {"memory_limit_bytes": MIB, "cpu_limit_s": 2, "process_limit": 3}


def test_the_highest_limits_are_kept() -> None:
    """Where a limit can be declared, a subject runs under it."""
    record = run(talk, 1, **dict.fromkeys(Limits.__dataclass_fields__, MOST))

    assert record.failure is None
    assert set(record.attributes[LIMITS].values()) == {MOST}

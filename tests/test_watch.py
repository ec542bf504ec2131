"""`watch`: the host sees its own functions, failtrace their failures."""

import asyncio
import inspect
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from failtrace import TraceStore, step, watch
from failtrace.capture.capture import CURRENT
from failtrace.contracts import FailureType, TraceRecord
from failtrace.guard import GUARD
from failtrace.recorder import recorder
from failtrace.watching import status


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


def recorded() -> list[TraceRecord]:
    """What the recorder has stored, newest first, once it has nothing left to do."""
    assert recorder().flush()
    with TraceStore.open() as store:
        found = [store.get_trace(row.failure_id or "") for row in store.mirror.failures().rows]
    return [record for record in found if record is not None]


class Shop:
    """A class whose method is watched."""

    @watch
    def order(self, item: str, *, count: int = 1) -> str:
        """Orders."""
        with step("check stock", kind="tool", item=item):
            if count > 10:
                raise LookupError(f"no {count} of {item}")
        return f"{count} {item}"


def test_a_method_is_what_it_was() -> None:
    """Result, name, docstring, signature and the exception object with its frames are the function's own."""
    shop = Shop()
    with pytest.raises(LookupError) as raised:
        shop.order("tea", count=11)

    assert shop.order("tea") == "1 tea"
    assert (Shop.order.__name__, Shop.order.__doc__) == ("order", "Orders.")
    assert list(inspect.signature(Shop.order).parameters) == ["self", "item", "count"]
    assert len(traceback.extract_tb(raised.value.__traceback__)) == 3
    (record,) = recorded()
    assert record.failure is not None
    assert (record.failure.message, record.environment.isolation) == ("LookupError: no 11 of tea", "inline")
    assert record.input["args"][1:] == ["tea"]  # type: ignore[index, call-overload]
    assert [item.name for item in record.steps] == ["check stock"]
    assert record.failure.step_id == record.steps[0].step_id


def test_a_coroutine_function_stays_one() -> None:
    """Async functions are awaited as before; concurrent calls keep their steps apart."""

    @watch(name="ask")
    async def ask(number: int) -> int:
        with step(f"step {number}"):
            await asyncio.sleep(0)
            if number % 2:
                raise ValueError(number)
        return number

    async def host() -> list[Any]:
        return await asyncio.gather(*(ask(number) for number in range(4)), return_exceptions=True)

    results = asyncio.run(host())

    assert inspect.iscoroutinefunction(ask)
    assert [results[0], results[2]] == [0, 2]
    assert [[item.name for item in record.steps] for record in recorded()] in (
        [["step 3"], ["step 1"]],
        [["step 1"], ["step 3"]],
    )


def test_a_generator_is_driven_as_before() -> None:
    """What is sent, thrown and returned reaches the generator and its caller; an exception inside is recorded."""

    @watch(name="talk")
    def talk() -> Iterator[str]:
        heard = yield "first"
        try:
            yield f"heard {heard}"
        except KeyError:
            yield "caught"
        return "done"

    def outer() -> Any:
        return (yield from talk())

    driven = outer()
    assert [next(driven), driven.send("you"), driven.throw(KeyError("x"))] == ["first", "heard you", "caught"]
    with pytest.raises(StopIteration) as stop:
        next(driven)
    assert stop.value.value == "done"
    assert recorded() == []


def test_what_the_host_does_with_a_chunk_is_its_own() -> None:
    """Between two chunks, and behind the last, no step of the host's or of another generator's is the generator's."""

    @watch
    def letters(name: str) -> Iterator[str]:
        for letter in name:
            with step(f"write {letter}"):
                pass
            yield letter
        raise ValueError(name)

    @watch
    async def numbers() -> AsyncIterator[int]:
        with step("count"):
            pass
        yield 1
        raise LookupError

    async def all_of_them() -> None:
        read = numbers()
        assert await anext(read) == 1
        assert CURRENT.get() is None
        with step("the host's"):
            pass
        with pytest.raises(LookupError):
            await anext(read)
        assert CURRENT.get() is None

    first, second = letters("ab"), letters("cd")
    for generator in (first, second, first, second):
        next(generator)
        assert CURRENT.get() is None
        with step("the host's"):
            pass
    for generator in (first, second):
        with pytest.raises(ValueError, match=r"ab|cd"):
            next(generator)
    assert CURRENT.get() is None
    asyncio.run(all_of_them())

    steps = [[one.name for one in record.steps] for record in reversed(recorded())]
    assert steps == [["write a", "write b"], ["write c", "write d"], ["count"]]


def test_generators_that_raise_are_recorded() -> None:
    """Sync and async: the caller gets the chunks before the exception, and the exception."""

    @watch(name="count")
    def count() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    @watch(name="count later")
    async def count_later() -> AsyncIterator[int]:
        yield 1
        raise OSError("gone later")

    async def collect(into: list[int]) -> None:
        async for number in count_later():
            into.append(number)  # noqa: PERF401  a comprehension would drop what came before the exception

    seen: list[int] = []
    with pytest.raises(OSError, match="gone"):
        seen.extend(count())
    with pytest.raises(OSError, match="gone later"):
        asyncio.run(collect(seen))

    assert seen == [1, 1]
    assert {record.subject.name for record in recorded()} == {"count", "count later"}


def test_a_broken_contract_and_a_slow_call_are_recorded() -> None:
    """The caller gets the output all the same."""
    number = watch(name="number", output_model=int)(lambda: "seven")
    slow = watch(name="slow", timeout=1e-9)(lambda: 1)
    fine = watch(name="fine", output_model=int)(lambda: 7)

    assert (number(), slow(), fine()) == ("seven", 1, 7)
    assert {record.subject.name: record.failure.failure_type for record in recorded() if record.failure} == {
        "number": FailureType.VALIDATION_ERROR,
        "slow": FailureType.TIMEOUT,
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, SystemExit])
def test_what_is_the_host_s_own_passes_unrecorded(error: type[BaseException]) -> None:
    """Interrupts, cancellations and exits are no failures of the function."""

    @watch
    def interrupted() -> None:
        raise error

    with pytest.raises(error):
        interrupted()
    assert recorded() == []


def test_a_store_that_cannot_be_opened_does_not_touch_the_host(
    clean_environment: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The call ends as it would; the trouble is counted and logged once, and so is what could not be kept."""
    clean_environment.parent.mkdir(exist_ok=True)
    clean_environment.write_text("a file where the home should be")
    fail = watch(name="fail")(lambda: 1 / 0)
    before = status()

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            fail()
    assert recorder().finish()

    after = status()
    assert after.faults - before.faults == GUARD.count > 0
    assert (after.dropped - before.dropped, after.stored - before.stored) == (3, 0)
    assert [record.name for record in caplog.records] == ["failtrace"]
    GUARD.caught.clear()


def test_a_program_s_failures_are_stored_when_it_ends(tmp_path: Path) -> None:
    """The end of the program waits for what was still to be stored, in a forked child too."""
    script = tmp_path / "program.py"
    script.write_text(
        "import os\n"
        "from failtrace import watch\n"
        "@watch(name='fails')\n"
        "def fails(who):\n"
        "    raise ValueError(who)\n"
        "def attempt(who):\n"
        "    try: fails(who)\n"
        "    except ValueError: pass\n"
        "attempt('parent')\n"
        "if os.fork() == 0:\n"
        "    attempt('child')\n"
        "else:\n"
        "    os.wait()\n"
    )

    subprocess.run([sys.executable, str(script)], check=True, timeout=60)

    assert {record.failure.message for record in recorded() if record.failure} == {
        "ValueError: parent",
        "ValueError: child",
    }


def test_a_host_that_uses_threads_and_forks_is_not_held_up(tmp_path: Path) -> None:
    """OpenTelemetry's fork handler would wait for a lock of the thread pools where those were first used after it."""
    script = tmp_path / "program.py"
    script.write_text(
        "import os\n"
        "from failtrace import watch, step\n"
        "@watch\n"
        "def work():\n"
        "    with step('a'): pass\n"
        "work()\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor() as pool: pool.submit(work).result()\n"
        "child = os.fork()\n"
        "work()\n"
        "if child: assert os.waitpid(child, 0)[1] == 0\n"
    )

    subprocess.run([sys.executable, str(script)], check=True, timeout=60)

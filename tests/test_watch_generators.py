"""Watched generators and awaitables behave as the bare ones, to their end."""

import asyncio
import functools
import inspect
import traceback
import types
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field
from support.watched import program, recorded, recovered

from failtrace import watch
from failtrace.errors import SubjectError
from failtrace.execution import watched_call
from failtrace.recorder import recorder


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


def test_generator_exit_is_thrown_in_as_any_exception() -> None:
    """The same object; what the generator yields at it is yielded, sync and async."""
    seen: list[BaseException] = []

    @watch
    def chunks() -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit as error:
            seen.append(error)
            yield 2

    @watch
    async def chunks_later() -> AsyncIterator[int]:
        try:
            yield 1
        except GeneratorExit as error:
            seen.append(error)
            yield 2

    async def later() -> int:
        made: Any = chunks_later()
        await anext(made)
        given: int = await made.athrow(thrown)
        with pytest.raises(StopAsyncIteration):
            await anext(made)
        return given

    made: Any = chunks()
    thrown = GeneratorExit()
    assert (next(made), made.throw(thrown), asyncio.run(later())) == (1, 2, 2)
    assert [error is thrown for error in seen] == [True, True]


def frames_of(error: BaseException) -> list[str]:
    """The functions that its traceback goes through."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("raised_before", [False, True])
def test_a_thrown_exception_has_one_frame_more(raised_before: bool) -> None:
    """Inside the generator none: it sees what it would have seen."""
    seen: list[list[str]] = []

    def bare() -> Iterator[int]:
        try:
            yield 1
        except LookupError as error:
            seen.append(frames_of(error))
            raise

    def raised() -> LookupError:
        try:
            raise LookupError
        except LookupError as error:
            return error

    told: list[list[str]] = []
    for function in (bare, watch(bare)):
        it = function()
        next(it)
        with pytest.raises(LookupError) as caught:
            it.throw(raised() if raised_before else LookupError())  # type: ignore[attr-defined]
        told.append(frames_of(caught.value))

    assert seen[0] == seen[1]
    assert told[1] == [told[0][0], "wrapper", *told[0][1:]]


def test_an_output_that_nobody_wanted_whole_is_not_judged() -> None:
    """A generator that is closed early and returns has not broken its contract; one that goes on has."""

    @watch(output_model=Annotated[list[int], Field(min_length=3)])
    def numbers(stops: bool) -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit:
            if stops:
                return
            raise

    for _ in numbers(True):
        break
    assert list(numbers(False)) == [1]

    (record,) = recorded()
    assert record.input == {"args": [False], "kwargs": {}}


def test_a_generator_that_types_coroutine_made_awaitable_stays_so() -> None:
    """Its result is the awaited one, and is what the contract is about."""

    @watch(name="waits", output_model=str)
    @types.coroutine
    def waits() -> Generator[None, None, int]:
        yield
        return 3

    async def main() -> int:
        return await waits()

    assert asyncio.run(main()) == 3
    (record,) = recorded()
    assert record.output == 3


def test_a_partial_of_a_callable_object_is_of_its_kind() -> None:
    """An object with an `async def __call__`, and one whose `__call__` is a generator, with an argument given."""

    class Later:
        async def __call__(self, value: int) -> int:
            return 1 // value

    class Many:
        def __call__(self, value: int) -> Iterator[int]:
            yield 1 // value

    later = watch(functools.partial(functools.partial(Later()), 0))
    many = watch(functools.partial(Many(), 0))

    assert inspect.iscoroutinefunction(later)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(later())
    with pytest.raises(ZeroDivisionError):
        next(many())
    assert len(recorded()) == 2


def test_an_async_generator_left_open_is_closed_by_the_loop_once(tmp_path: Path) -> None:
    """At the end of `asyncio.run` too: nothing is printed, and it ends in its own `finally`."""
    done = program(
        tmp_path,
        """
        import asyncio
        from failtrace import watch
        @watch
        async def rows():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                print("closed")
        async def main(): await anext(left)
        left = rows()
        asyncio.run(main())
        """,
    )

    assert (done.stdout, done.stderr) == ("closed\n", "")


def test_chunks_are_kept_within_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them none is kept and the output is not judged; the caller gets all."""
    # The real 16 MB would take memory for nothing.
    monkeypatch.setattr(watched_call, "MAX_CHUNK_BYTES", 10_000)
    sizes = []

    @watch(name="chunks", output_model=int, sample=1.0)
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(1000)

    for chunk in chunks():
        sizes.append(len(chunk))  # noqa: PERF401

    (record,) = recorded()
    assert (sizes, record.failure) == ([1000] * 50, None)
    assert isinstance(record.output, list)
    assert len(record.output) < 11


def test_a_call_that_hangs_when_the_program_ends_is_recorded(tmp_path: Path) -> None:
    """As lost with its program; a generator that waits for its caller is not."""
    done = program(
        tmp_path,
        """
        import threading
        from failtrace import watch
        begun = threading.Event()
        @watch(name="hangs")
        def hangs():
            begun.set()
            threading.Event().wait()
        @watch(name="waits")
        def waits(): yield 1
        waiting = waits()
        next(waiting)
        threading.Thread(target=hangs, daemon=True).start()
        begun.wait()
        """,
    )

    assert done.returncode == 0, done.stderr
    (record,) = recovered()
    assert record.failure is not None
    assert record.subject.name == "hangs"


@pytest.mark.parametrize("option", ["memory_limit_bytes", "step_limit", "cpu_limit_s", "example_inputs", "bogus"])
def test_what_watch_does_not_take_is_refused(option: str) -> None:
    """In one sentence that names what it takes."""
    with pytest.raises(SubjectError, match="evidence, output_model, timeout"):
        watch(**{option: 1})(lambda: 1)  # type: ignore[call-overload]

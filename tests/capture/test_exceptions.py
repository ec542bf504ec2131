"""Exceptions as data, however hostile."""

from collections.abc import Callable
from typing import Any

import pytest

from failtrace.capture.exceptions import (
    MAX_CHAIN,
    MAX_EXCEPTIONS,
    MAX_FRAMES,
    MAX_GROUP_DEPTH,
    MAX_MEMBERS,
    describe_exception,
)
from failtrace.capture.sanitiser import Marks
from failtrace.contracts import ErrorInfo
from failtrace.detection.assemble import error_info


def caught(raise_it: Callable[[], Any]) -> BaseException:
    try:
        raise_it()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def describe(error: BaseException) -> ErrorInfo:
    return error_info(describe_exception(error, Marks()))


def test_a_chain_is_told_nearest_first() -> None:
    """Explicit causes and implicit contexts are told apart, a suppressed context is left out."""

    def chained() -> None:
        try:
            try:
                raise KeyError("first")
            except KeyError:
                raise OSError("second")  # noqa: B904
        except OSError as error:
            raise ValueError("third") from error

    def suppressed() -> None:
        try:
            raise KeyError("hidden")
        except KeyError:
            raise ValueError("shown") from None

    told = describe(caught(chained))
    assert [(cause.relation, cause.type) for cause in told.causes] == [("cause", "OSError"), ("context", "KeyError")]
    assert "in chained" in told.stacktrace
    assert describe(caught(suppressed)).causes == ()


def test_a_cycle_of_causes_ends() -> None:
    """A chain that bites its own tail is told once."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert [cause.message for cause in describe(first).causes] == ["b"]


def test_everything_that_can_grow_is_bounded() -> None:
    """A long chain, a wide and deep group, a deep stack and a long message all have an end."""
    chain = ValueError("0")
    for number in range(1, 1000):
        following = ValueError(str(number))
        following.__cause__ = chain
        chain = following
    nested: Exception = ValueError("leaf")
    for _ in range(200):
        nested = ExceptionGroup("level", [nested])
    wide = ExceptionGroup("wide", [ValueError(str(number)) for number in range(1000)])

    def ping(depth: int) -> None:
        if depth == 0:
            raise ValueError("x" * 1_000_000)
        pong(depth - 1)

    def pong(depth: int) -> None:
        # Two in turn, for the traceback module folds a line that repeats itself.
        ping(depth)

    deep = describe(caught(lambda: ping(200)))
    level, depth = describe(nested), 0
    while level.exceptions:
        level, depth = level.exceptions[0], depth + 1
    assert len(describe(chain).causes) == MAX_CHAIN
    assert len(describe(wide).exceptions) == MAX_MEMBERS
    assert depth == MAX_GROUP_DEPTH
    assert deep.stacktrace.count("  File ") == MAX_FRAMES
    assert "frames left out" in deep.stacktrace
    assert len(deep.message) < 20_000


class Hostile(Exception):
    """Lies about everything it is asked."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    "build",
    [Hostile, lambda: Hostile("argument"), lambda: type("", (Exception,), {"__module__": 42})("x")],
    ids=["hostile", "hostile-with-argument", "nameless"],
)
def test_hostile_exceptions_are_told_all_the_same(build: Callable[[], BaseException]) -> None:
    """Nothing of the exception's own but its `__str__` is called, and that may fail."""

    def fail() -> None:
        raise build()

    told = describe(caught(fail))

    assert told.message in ("<the exception's __str__ raised SystemExit>", "x")
    assert "in fail" in told.stacktrace


def test_notes_and_secrets() -> None:
    """Notes are kept; secrets leave messages, notes and the source lines of the traceback."""
    error = ValueError("password=hunter2secret")
    error.add_note("see the manual")
    error.add_note("Authorization: Bearer abcdef0123456789abcdef")

    def fail(password: str) -> None:
        raise error

    told = describe(caught(lambda: fail(password="hunter2secret")))

    assert told.notes[0] == "see the manual"
    assert "hunter2secret" not in told.model_dump_json()
    assert "abcdef0123456789" not in told.model_dump_json()


def test_groups_of_groups_share_one_budget() -> None:
    """Wide and deep groups do not multiply, and each says how many of its members were left out."""
    group: Exception = ValueError("leaf")
    for _ in range(4):
        group = ExceptionGroup("level", [group] * 20)

    told = describe(group)

    def count(info: ErrorInfo) -> int:
        return 1 + sum(map(count, (*info.causes, *info.exceptions)))

    assert count(told) == MAX_EXCEPTIONS
    assert told.notes == (f"[{20 - len(told.exceptions)} of 20 members left out]",)


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        ("builtins", "E", "E"),
        ("__main__", "E", "E"),
        ("shop.errors", "E", "shop.errors.E"),
        ("m", "E\udcff", "m.E\\udcff"),
        ("m", "password=hunter2secret", None),
        ("m", "E" * 5000, None),
        (42, "E", "E"),
    ],
)
def test_a_type_s_name_is_bounded_clean_text(module: Any, name: str, told: str | None) -> None:
    """A class can be called anything; its name is stored like every other text."""
    kind = type("E", (Exception,), {"__module__": module, "__qualname__": name})

    said = describe(kind()).type

    assert told is None or said == told
    assert len(said) <= 200
    assert "hunter2" not in said
    said.encode()

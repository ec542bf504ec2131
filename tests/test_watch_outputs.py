"""What a watched function returned is its caller's: nothing of it is used up, and memory for it is bounded."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from support.watched import recorded

from failtrace import watch
from failtrace.contracts import FailureType, VerdictStatus
from failtrace.recorder import recorder


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


class Body:
    """As of a response: it has no length, and is read as it is iterated."""

    def __init__(self) -> None:
        self._parts = iter(["a", "b"])

    def __iter__(self) -> Iterator[str]:
        return self._parts


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    parts: Any


@dataclass
class Data:
    parts: Any


def letters() -> Iterator[str]:
    yield from "ab"


SOURCES: dict[str, Callable[[], Any]] = {
    "generator": letters,
    "map": lambda: map(str, "ab"),
    "file": lambda: io.StringIO("a\nb"),
    "body": Body,
}
AROUND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "alone": (lambda it: it, lambda it: it),
    "dict": (lambda it: {"a": [it]}, lambda it: it["a"][0]),
    "tuple": (lambda it: (it,), lambda it: it[0]),
    "set": (lambda it: {it}, lambda it: next(iter(it))),
    "deque": (lambda it: deque([it]), lambda it: it[0]),
    "model": (lambda it: Model(parts=it), lambda it: it.parts),
    "dataclass": (lambda it: [Data(it)], lambda it: it[0].parts),
    "values of a dict": (lambda it: {1: it}.values(), lambda it: next(iter(it))),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("model", [list[str], list[list[str]], dict[str, list[list[str]]], {"type": "array"}], ids=str)
def test_what_can_be_iterated_once_is_left_to_the_caller(source: str, around: str, model: Any) -> None:
    """Whatever the contract is and wherever the iterator stands, it is whole; the record says that none was judged."""
    put, get = AROUND[around]
    gives = watch(name="gives", output_model=model, sample=1.0)(lambda: put(SOURCES[source]()))

    assert [part.strip() for part in get(gives())] == ["a", "b"]

    (record,) = recorded()
    (verdict,) = [one for one in record.verdicts if one.detector.name == "contract"]
    assert (record.failure, verdict.status) == (None, VerdictStatus.ABSTAINED)
    assert "only once" in verdict.reason


@pytest.mark.parametrize("output", [[Model(parts=1)], {"a": (1, 2)}, [Data(1)], range(3), "text", None], ids=repr)
def test_what_can_be_iterated_again_is_judged(output: Any) -> None:
    """Models and dataclasses, which have no length, too."""
    watch(name="gives", output_model=int)(lambda: output)()

    assert [record.failure and record.failure.failure_type for record in recorded()] == [FailureType.VALIDATION_ERROR]

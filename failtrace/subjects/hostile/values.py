"""Subjects whose values cannot be written down as they are."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from failtrace.capture.markers import KEY
from failtrace.capture.step import step
from failtrace.contracts import Json, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, raises, returns

_LONG = 50_000_000
_LONE = "\udcff\ud800"


class Unreadable:
    """Asked for anything, it raises."""

    def __repr__(self) -> str:
        raise SystemExit

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def _says_cycle(record: TraceRecord) -> bool:
    return '"cycle"' in json.dumps(record.output)


def _markers_in(value: Json) -> Iterator[str]:
    """The kind of each marker that stands for a value."""
    if isinstance(value, dict):
        if isinstance(kind := value.get(KEY), str):
            yield kind
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _markers_in(item)


def _replaced_seen(record: TraceRecord) -> str:
    kinds = Counter(_markers_in(record.output))
    counts = ", ".join([f"{kind} {number}" for kind, number in sorted(kinds.items())])
    return f"{kinds.total()} values were replaced by a marker: {counts}." if kinds else "No value was replaced."


def _was_cut(record: TraceRecord) -> bool:
    return record.completeness.bytes_cut > 3 * (_LONG - (1 << 20)) and len(record.model_dump_json()) < 16 * _LONG // 100


def _can_be_written(record: TraceRecord) -> bool:
    return len(record.steps) == 1 and bool(record.logs.lines) and bool(record.model_dump_json().encode())


@hostile(
    "Values that cannot be serialised",
    returns("it returns, and the record says what they were", _says_cycle, _replaced_seen),
)
def return_the_unserialisable() -> dict[str, Any]:
    """A cycle, a lock, a generator, an object that raises, nan, an integer of 5,000 digits, keys of any type."""
    value: dict[Any, Any] = {
        "lock": threading.Lock(),
        "generator": (letter for letter in ""),
        "unreadable": Unreadable(),
    }
    value |= {"itself": value, "nan": float("nan"), "long": 10**5000, (1, 2): b"\xff", None: {1, "a"}}
    return value


@hostile("50 MB strings", raises("ValueError", "recorded, each cut and counted", _was_cut))
def fifty_megabytes() -> None:
    """As a step's input and output, as a log line, and as an exception's message."""
    text = "x" * _LONG
    with step("carry", text=text) as carry:
        carry.output = text
        logging.getLogger(__name__).warning(text)
        raise ValueError(text)


@hostile("Lone surrogates", raises("ValueError", "recorded, the surrogates escaped", _can_be_written))
def lone_surrogates() -> None:
    """Characters that no encoding takes, wherever a text can stand."""
    with step(f"step {_LONE}", input={_LONE: _LONE}) as carry:
        carry.output = [_LONE]
        logging.getLogger(_LONE).warning(_LONE)
        print(_LONE)  # noqa: T201  stdout is a place too
        raise ValueError(_LONE)

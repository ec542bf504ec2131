"""A watched call's values, read at a price that a host can pay.

At its start the input is only glanced at: small JSON and plain values, and nothing of the host's own code is run for it
(a `repr` may ask a database). At the end of a call that failed the rest is read, within a bound of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from failtrace.capture.foreign_values import type_name
from failtrace.capture.interrupts import came_from_outside
from failtrace.capture.markers import Mark, Marks, mark
from failtrace.capture.redaction import gate
from failtrace.capture.sanitiser_walk import SHORT_INT, Walk, judge_key
from failtrace.capture.secret_values import named_value
from failtrace.capture.value_limits import MAX_SECONDS
from failtrace.contracts.base import Json

GLANCE_NODES, GLANCE_BYTES, GLANCE_S = 200, 4 << 10, 0.001
"""Items, bytes of texts and seconds for the input at the start of a call."""
READ_NODES, READ_BYTES, READ_S = 20_000, 1 << 20, 0.05
"""The same for a value at the end of a call that is to be recorded."""
MAX_QUICK = 256
"""Characters of a text that needs no walk."""
MAX_QUICK_ITEMS = 32
"""Arguments that need none."""
NOT_READ = "<not read while the call ran>"

_PLAIN_TYPES = (str, int, float, bool, type(None), dict, list, tuple, set, frozenset, bytes)
_DATED_TYPES = (datetime, date, time, timedelta, Decimal, UUID)
_PLAIN = frozenset(map(id, (*_PLAIN_TYPES, *_DATED_TYPES)))
"""By `id`: to look a class up in a set asks its metaclass, which may be anybody's and raise."""


class _Reading(Walk):
    """A walk with budgets of its own."""

    __slots__ = ()

    def __init__(self, marks: Marks, nodes: int, room: int, seconds: float) -> None:
        super().__init__(marks)
        self._nodes, self._room = nodes, room
        self._deadline += seconds - MAX_SECONDS


class _Glance(_Reading):
    """A walk that calls nothing of an object that is not plain."""

    __slots__ = ("whole",)

    def __init__(self, marks: Marks) -> None:
        super().__init__(marks, GLANCE_NODES, GLANCE_BYTES, GLANCE_S)
        self.whole = True

    def value(self, value: Any, depth: int) -> Json:
        """A plain value as JSON; of any other its type alone."""
        kind = type(value)
        if id(kind) in _PLAIN:
            return super().value(value, depth)
        self.whole = False
        return _unread(kind)


def glance(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[bytes, bool]:
    """The fields `input` and `marks` of a journal line, and whether the input is there in full."""
    quick = _quick(args, kwargs)
    if quick is not None:
        values, whole = quick
        return b'"input":%b,"marks":{"cut":0,"redacted":0}' % to_json(values), whole
    marks = Marks()
    walk = _Glance(marks)
    return _fields(walk.value(_input(args, kwargs), 0), marks), walk.whole and not marks.bytes_cut


def read_input(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
    """The fields `input` and `marks` of a journal line, every object asked for what it says of itself."""
    marks = Marks()
    return _fields(read(_input(args, kwargs), marks), marks)


def read(value: Any, marks: Marks) -> Json:
    """Any value, within the bounds of a call in a host's own thread. Raises nothing but the host's own."""
    try:
        return _Reading(marks, READ_NODES, READ_BYTES, READ_S).value(value, 0)
    except BaseException as error:  # the last edge: no room on the stack or in memory
        if came_from_outside(error):
            raise
        return mark("object", type=type_name(type(value)), repr=f"<could not be read: {type_name(type(error))}>")


def _input(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {"args": args, "kwargs": kwargs}


def _fields(value: Json, marks: Marks) -> bytes:
    return to_json({"input": value, "marks": {"cut": marks.bytes_cut, "redacted": marks.values_redacted}})[1:-1]


def _quick(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], bool] | None:
    """The input where it is a few numbers and short texts, which a walk would cost more than the rest of the call."""
    if len(args) + len(kwargs) > MAX_QUICK_ITEMS:
        return None
    if len(args) > 1 and (type(args[0]) is str or type(args[0]) is bytes):
        # Then one may name the next: `("--password", "x")`.
        return None
    whole = True
    shown: list[Any] = []
    for value in args:
        if _is_quick(value):
            shown.append(value)
        elif id(type(value)) in _PLAIN:
            return None
        else:
            whole = False
            shown.append(_unread(type(value)))
    for key, value in kwargs.items():
        if len(key) > MAX_QUICK or judge_key(key) is not None or not _is_quick(value):
            return None
    return None if named_value(kwargs) else ({"args": shown, "kwargs": kwargs}, whole)


def _is_quick(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        # A flag may name the next one: `("--password", "x")`.
        return len(value) <= MAX_QUICK and value.isascii() and value[:2] != "--" and not gate()(value)
    if kind is int:
        return -SHORT_INT < value < SHORT_INT  # type: ignore[no-any-return]
    return value is None or kind is bool or (kind is float and math.isfinite(value))


def _unread(kind: type) -> Mark:
    return mark("object", type=type_name(kind), repr=NOT_READ)

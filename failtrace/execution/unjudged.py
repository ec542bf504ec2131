"""Why a host's value is not held against a contract while the host waits: to look at it would take it from its owner,
or take too long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from pydantic import BaseModel

from failtrace.capture.foreign_values import fields_of, has_method, mro_of

_Parts = Callable[[Any], Iterable[Any]]

_CONTAINERS: tuple[tuple[type, _Parts], ...] = (
    (dict, dict.values),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (deque, deque.__iter__),
    (type({}.values()), iter),
    (type({}.items()), iter),
)


MAX_LOOKED_AT = 20_000
"""Items of all levels together: what is looked at in some 10 ms."""
_ONE_SHOT = "The output holds what can be iterated only once, and that is its caller's."
_TOO_MUCH = f"The output has more than {MAX_LOOKED_AT:,} items, for which its caller would wait."


def why_unjudged(value: Any) -> str | None:
    """A sentence where there is an iterator, a file, or an iterable without a length in it, or too much to look at.

    Runs nothing of the value's own.
    """
    # By `id`, for a hostile type might say anything of its equality; each is kept, so no id is another's.
    kinds: dict[int, tuple[type, _Parts]] = {id(kind): (kind, _nothing) for kind in (str, bytes, int, float, bool)}
    seen: dict[int, Any] = {}
    waiting = [value]
    room = MAX_LOOKED_AT
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if id(kind) not in kinds:
            if _is_one_shot(kind):
                return _ONE_SHOT
            kinds[id(kind)] = kind, _parts_of(kind)
        parts = kinds[id(kind)][1]
        if parts is not _nothing and id(one) not in seen:
            seen[id(one)] = one
            inside = list(islice(parts(one), room + 1))
            room -= len(inside)
            if room < 0:
                return _TOO_MUCH
            waiting += inside
    return None


def _is_one_shot(kind: type) -> bool:
    if has_method(kind, "__next__"):
        return True
    # A response, say, whose body is read as it is iterated; models and dataclasses are read by their fields.
    bare = has_method(kind, "__iter__") and not has_method(kind, "__len__")
    return bare and not any(base is BaseModel for base in mro_of(kind)) and not has_method(kind, "__dataclass_fields__")


def _parts_of(kind: type) -> _Parts:
    """How to get at what is inside a value of that type."""
    for container, parts in _CONTAINERS:
        if any(base is container for base in mro_of(kind)):
            return parts
    return _fields


def _fields(value: Any) -> Iterable[Any]:
    return (fields_of(value) or {}).values()


def _nothing(_: Any) -> Iterable[Any]:
    return ()

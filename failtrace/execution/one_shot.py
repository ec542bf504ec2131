"""Whether a value holds something that can be iterated only once: to look at it would take it from its owner."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
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


def holds_one_shot(value: Any) -> bool:
    """Whether there is an iterator, a file, or an iterable without a length in it. Runs nothing of the value's own."""
    # By `id`, for a hostile type might say anything of its equality; each is kept, so no id is another's.
    kinds: dict[int, tuple[type, _Parts]] = {id(kind): (kind, _nothing) for kind in (str, bytes, int, float, bool)}
    seen: dict[int, Any] = {}
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if id(kind) not in kinds:
            if _is_one_shot(kind):
                return True
            kinds[id(kind)] = kind, _parts_of(kind)
        parts = kinds[id(kind)][1]
        if parts is not _nothing and id(one) not in seen:
            seen[id(one)] = one
            waiting.extend(parts(one))
    return False


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

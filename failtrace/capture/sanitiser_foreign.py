"""What becomes of each type that JSON does not know: one small function a family, found by the identity of a base."""

import array
import enum
import hashlib
import json
import uuid
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Protocol

from pydantic import BaseModel, RootModel, Secret, SecretBytes, SecretStr

from failtrace.capture.clean_text import bounded_text
from failtrace.capture.foreign_values import fields_of, guarded, mro_of, text_of, type_name
from failtrace.capture.markers import Mark, Marks, mark
from failtrace.capture.redaction import redact_text
from failtrace.capture.value_limits import MAX_BINARY, MAX_HASHED, MAX_REPR, SLACK
from failtrace.contracts.base import Json


class Walker(Protocol):
    """The walk that the functions here send the parts of a value back to."""

    marks: Marks

    def value(self, value: Any, depth: int) -> Json:
        """Any value."""

    def text(self, text: str) -> Json:
        """A text; charges it to the walk's budget."""

    def array(self, items: Iterable[object], size: int, owner: object, depth: int) -> Json:
        """The items of `owner`, as a JSON array; `items` can be iterated again."""

    def mapping(self, items: Iterable[tuple[Any, object]], size: int, owner: object, depth: int) -> Json:
        """The pairs of `owner`, as a JSON object; `items` can be iterated again."""

    def room_for(self, size: int) -> int:
        """Takes up to `size` bytes from the walk's budget; returns how many there were."""


def foreign(walk: Walker, value: Any, depth: int) -> Json:
    """Any value whose type is not exactly one of JSON's."""
    for base in mro_of(type(value)):
        if handler := _HANDLERS.get(id(base)):
            return handler(walk, value, depth)
    if (fields := fields_of(value)) is not None:
        return walk.mapping(fields.items(), len(fields), value, depth)
    return _object(walk, value, depth)


def _object(walk: Walker, value: object, _depth: int) -> Mark:
    said = _short(walk, text_of(value))
    return mark("object", type=type_name(type(value)), repr=said)


def _short(walk: Walker, text: str) -> str:
    return bounded_text(text, walk.room_for(min(len(text), MAX_REPR)), "start", walk.marks)


def _exception(walk: Walker, value: BaseException, _depth: int) -> Mark:
    return mark("exception", type=type_name(type(value)), message=_short(walk, text_of(value, str)))


def _secret(walk: Walker, value: object, _depth: int) -> Mark:
    walk.marks.values_redacted += 1
    return mark("redacted", rule="type:secret", type=type_name(type(value)))


def _tuple(walk: Walker, value: tuple[object, ...], depth: int) -> Json:
    if (fields := fields_of(value)) is not None:
        return walk.mapping(fields.items(), len(fields), value, depth)
    return walk.array(tuple.__getitem__(value, slice(None)), tuple.__len__(value), value, depth)


def _list(walk: Walker, value: list[object], depth: int) -> Json:
    return walk.array(list.__getitem__(value, slice(None)), list.__len__(value), value, depth)


def _dict(walk: Walker, value: dict[object, object], depth: int) -> Json:
    return walk.mapping(dict.items(value), dict.__len__(value), value, depth)


def _model(walk: Walker, value: object, depth: int) -> Json:
    fields = fields_of(value) or {}
    if list(fields) == ["root"] and any(base is RootModel for base in mro_of(type(value))):
        return walk.value(fields["root"], depth + 1)
    return walk.mapping(fields.items(), len(fields), value, depth)


def _enum(walk: Walker, value: object, depth: int) -> Mark:
    inner: Any = guarded(lambda it: object.__getattribute__(it, "__dict__"), value) or {}
    name, held = inner.get("_name_"), inner.get("_value_")
    told = walk.mapping([(name, held)], 1, inner, depth + 1) if type(name) is str else {}
    spelled = told.get(name, told) if type(told) is dict else told
    return mark("enum", type=type_name(type(value)), name=walk.value(name, depth + 1), value=spelled)


def _as_text(kind: str, render: Callable[[Any], str]) -> Callable[[Walker, Any, int], Json]:
    def handler(walk: Walker, value: Any, depth: int) -> Json:
        text = guarded(render, value)
        return mark(kind, value=walk.text(str.__str__(text))) if text is not None else _object(walk, value, depth)

    return handler


def _collection(kind: str, size_of: Callable[[Any], int], *, ordered: bool) -> Callable[[Walker, Any, int], Json]:
    def handler(walk: Walker, value: Any, depth: int) -> Json:
        items = walk.array(value, size_of(value), value, depth + 1)
        if not isinstance(items, list):
            return items
        if not ordered:
            cut = items.pop() if items and type(items[-1]) is Mark and items[-1].get("type") == "list" else None
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
            items += [cut] if cut else []
        return mark(kind, items=items)

    return handler


def _bytes(walk: Walker, value: bytes | bytearray | memoryview, _depth: int) -> Mark:
    """Base64 and sha256; where a secret shows in the bytes, their text without it."""
    view = memoryview(value).cast("B") if memoryview(value).contiguous else memoryview(value.tobytes())  # type: ignore[union-attr]
    size = len(view)
    room = walk.room_for(min(size, MAX_BINARY))
    head = bytes(view[: room + SLACK])
    text = head.decode("utf-8", "backslashreplace")
    clean, count = redact_text(text)
    fields: dict[str, Json] = {"size": size}
    if count:
        walk.marks.values_redacted += count
        fields["text"] = bounded_text(clean, room, "start", walk.marks)
    else:
        fields["base64"] = b64encode(head[:room]).decode()
        if size <= MAX_HASHED:
            fields["sha256"] = hashlib.sha256(view).hexdigest()
    if room < size:
        fields["kept"] = room
        walk.marks.bytes_cut += size - room
    return mark("bytes", **fields)


_VIEWS = {"dict_keys": type({}.keys()), "dict_values": type({}.values()), "dict_items": type({}.items())}

_FAMILIES: dict[type, Callable[[Walker, Any, int], Json]] = {
    str: lambda walk, value, _depth: walk.text(str.__str__(value)),
    int: lambda walk, value, depth: walk.value(int.__int__(value), depth),
    float: lambda walk, value, depth: walk.value(float.__float__(value), depth),
    tuple: _tuple,
    list: _list,
    dict: _dict,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    BaseException: _exception,
    BaseModel: _model,
    SecretStr: _secret,
    SecretBytes: _secret,
    Secret: _secret,
    enum.Enum: _enum,
    set: _collection("set", set.__len__, ordered=False),
    frozenset: _collection("frozenset", frozenset.__len__, ordered=False),
    deque: _collection("deque", deque.__len__, ordered=True),
    array.array: _collection("array", array.array.__len__, ordered=True),
    **{kind: _collection(name, kind.__len__, ordered=True) for name, kind in _VIEWS.items()},
    datetime: _as_text("datetime", datetime.isoformat),
    date: _as_text("date", date.isoformat),
    time: _as_text("time", time.isoformat),
    timedelta: _as_text("timedelta", timedelta.__str__),
    Decimal: _as_text("decimal", Decimal.__str__),
    Fraction: _as_text("fraction", Fraction.__str__),
    complex: _as_text("complex", complex.__repr__),
    uuid.UUID: _as_text("uuid", uuid.UUID.__str__),
    PurePath: _as_text("path", PurePath.__str__),
}
_HANDLERS = {id(kind): handler for kind, handler in _FAMILIES.items()}
"""By identity: hashing or comparing a hostile type would run its metaclass."""

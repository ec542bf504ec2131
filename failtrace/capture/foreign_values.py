"""Looking at an object without trusting it: its type, its fields, its texts.

Types are read by `type()` and the C-level slots of `type`, never by `value.__class__`, and never by asking whether an
attribute is there (a MagicMock answers everything). Only `repr` and `str` run the object's own code, always behind
`guarded`.
"""

import re
import types
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from failtrace.capture.interrupts import came_from_handler

_T = TypeVar("_T")

MAX_TYPE_NAME = 200

mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_class_dict: Callable[[type], types.MappingProxyType[str, object]] = type.__dict__["__dict__"].__get__
_module: Callable[[type], object] = type.__dict__["__module__"].__get__
_qualname: Callable[[type], object] = type.__dict__["__qualname__"].__get__

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def type_name(kind: type) -> str:
    """`module.Qualname`, without the module for builtins, whatever the type says of itself."""
    module, name = _plain(guarded(_module, kind)), _plain(guarded(_qualname, kind))
    full = name if module in ("", "builtins") else f"{module}.{name}"
    return full[:MAX_TYPE_NAME].encode("utf-8", "backslashreplace").decode()


def _plain(name: object) -> str:
    return name if type(name) is str else ""


def guarded(call: Callable[[Any], _T], value: object) -> _T | None:
    """`call(value)`, or None if that raises. What a signal's handler raised meanwhile goes on its way."""
    try:
        return call(value)
    # A hostile object may raise anything, SystemExit and KeyboardInterrupt too.
    except BaseException as error:
        if came_from_handler(error):
            raise
        return None


def text_of(value: object, render: Callable[[object], str] = repr) -> str:
    """What `repr` or `str` says of the object, or that it is broken.

    Addresses are left out, so that two runs of one subject give equal texts.
    """
    said = guarded(lambda it: str.__str__(render(it)), value)
    if said is None:
        return f"<{render.__name__} of {type_name(type(value))} is broken>"
    return _ADDRESS.sub(" at 0x…", said)


def fields_of(value: object) -> dict[str, object] | None:
    """The fields of a dataclass, pydantic model, named tuple or namespace, as stored; None for everything else."""
    kind = type(value)
    bases = mro_of(kind)
    if any(base is BaseModel for base in bases):
        return _stored(value) | (guarded(_pydantic_extra, value) or {})
    if kind is types.SimpleNamespace:
        return _stored(value)
    if any(base is tuple for base in bases):
        names = _class_attribute(bases, "_fields")
        if not isinstance(value, tuple) or type(names) is not tuple or not all(type(it) is str for it in names):
            return None
        return dict(zip(names, tuple.__iter__(value), strict=False))
    declared = _class_attribute(bases, "__dataclass_fields__")
    return _dataclass_fields(value, bases, declared) if type(declared) is dict else None


def _dataclass_fields(value: object, bases: tuple[type, ...], declared: dict[object, object]) -> dict[str, object]:
    stored = _stored(value)
    fields: dict[str, object] = {}
    for name in declared:
        if type(name) is not str:
            continue
        slot = _class_attribute(bases, name)
        if name in stored:
            fields[name] = stored[name]
        elif type(slot) is types.MemberDescriptorType:
            fields[name] = guarded(slot.__get__, value)  # None where it was never set
    return fields


def _stored(value: object) -> dict[str, object]:
    found = guarded(lambda it: object.__getattribute__(it, "__dict__"), value)
    return found if type(found) is dict else {}


def _pydantic_extra(value: object) -> dict[str, object]:
    extra = object.__getattribute__(value, "__pydantic_extra__")
    return extra if type(extra) is dict else {}


def has_method(kind: type, name: str) -> bool:
    """Whether values of the type have a method of that name, which is not None, of their class."""
    return _class_attribute(mro_of(kind), name) is not None


def _class_attribute(bases: tuple[type, ...], name: str) -> object:
    for base in bases:
        if name in (attributes := _class_dict(base)):
            return attributes[name]
    return None

"""Whether an exception came from outside: a signal's handler, a tracer or another thread threw it into what ran.

That is a program's own way to end what it waits for, wherever it is. What our code, or code of a value that we look
at, makes of itself is not.
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

_TRACEBACK: Any = BaseException.__dict__["__traceback__"]
TRACEBACK_OF: Callable[[BaseException], TracebackType | None] = _TRACEBACK.__get__
"""An exception's own attribute, whatever its class says of it."""
_MODULE_OF: Callable[[type], Any] = type.__dict__["__module__"].__get__
_RAISE = dis.opmap["RAISE_VARARGS"]
_LIBRARIES = """
failtrace pydantic pydantic_core pydantic_settings annotated_types opentelemetry sqlalchemy sqlmodel azure jsonschema
referencing re2 ahocorasick_rs uuid6 cloudpickle typing_extensions typing_inspection pyo3_runtime
"""
_OURS = sys.stdlib_module_names | frozenset(_LIBRARIES.split())
"""What runs, and whose exceptions are raised, while failtrace is at work."""


def came_from_outside(error: BaseException) -> bool:
    """Whether the exception is none of the code's that it came out of. For whoever would swallow it.

    One of Python's own classes that another thread throws in (`PyThreadState_SetAsyncExc`) cannot be told from ours,
    but for those that are no Exception.
    """
    innermost = tb = TRACEBACK_OF(error)
    while tb is not None:
        if _interrupts(tb.tb_frame):
            return True
        innermost, tb = tb, tb.tb_next
    return innermost is not None and _is_thrown_in(error, innermost)


def _interrupts(frame: FrameType) -> bool:
    """Whether a function was given the frame it was called from, as handlers of signals and tracers are."""
    return any(given is frame.f_back for given in _arguments(frame)) and frame.f_back is not None


def _arguments(frame: FrameType) -> Iterator[Any]:
    code = frame.f_code
    # Our own frames may still run, and would keep what is read of them.
    takes_any = code.co_argcount or code.co_flags & inspect.CO_VARARGS
    if not takes_any or _root(frame.f_globals.get("__name__")) == "failtrace":
        return
    values = frame.f_locals
    for name in code.co_varnames[: code.co_argcount]:
        yield values.get(name)
    if code.co_flags & inspect.CO_VARARGS:
        rest = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        yield from rest if type(rest) is tuple else ()


def _is_thrown_in(error: BaseException, innermost: TracebackType) -> bool:
    """Whether it came up in the middle of code that raised nothing."""
    kind, frame = type(error), innermost.tb_frame
    if frame.f_code.co_code[innermost.tb_lasti] == _RAISE:
        return False
    if kind is KeyboardInterrupt:
        return True
    foreign = not issubclass(kind, Exception) or not _is_ours(_MODULE_OF(kind))
    return foreign and _is_ours(frame.f_globals.get("__name__"))


def _is_ours(module: object) -> bool:
    return _root(module) in _OURS


def _root(module: object) -> str:
    return module.partition(".")[0] if type(module) is str else ""


def as_thrown(error: BaseException) -> BaseException:
    """An exception that was thrown into the caller, without the caller's frame: as it was before."""
    if (tb := TRACEBACK_OF(error)) is not None:
        _TRACEBACK.__set__(error, tb.tb_next)
    return error

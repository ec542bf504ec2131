"""Whether an exception came from outside: a signal's handler, a tracer or another thread threw it into what ran.

That is a program's own way to end what it waits for, wherever it is. What our code, or code of a value that we look
at, makes of itself is not.
"""

from __future__ import annotations

import dis
import functools
import inspect
import signal
import sys
from collections.abc import Callable, Mapping
from traceback import walk_tb
from types import CodeType, FrameType, FunctionType, MethodType, TracebackType
from typing import Any

_TRACEBACK: Any = BaseException.__dict__["__traceback__"]
TRACEBACK_OF: Callable[[BaseException], TracebackType | None] = _TRACEBACK.__get__
"""An exception's own attribute, whatever its class says of it."""
_CAUSE_OF: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__cause__"].__get__
_CONTEXT_OF: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__context__"].__get__
_MODULE_OF: Callable[[type], Any] = type.__dict__["__module__"].__get__
_BASES_OF: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_ATTRIBUTES_OF: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_RAISE = bytes([dis.opmap["RAISE_VARARGS"]])
_LIBRARIES = """
failtrace pydantic pydantic_core pydantic_settings annotated_types opentelemetry sqlalchemy sqlmodel azure jsonschema
referencing re2 ahocorasick_rs uuid6 cloudpickle typing_extensions typing_inspection
"""
_OURS = sys.stdlib_module_names | frozenset(_LIBRARIES.split())
"""What runs, and whose exceptions are raised, while failtrace is at work."""
_MAX_REPLACED = 8
_PANIC = "pyo3_runtime"
"""The module of what a library in Rust raises where it broke: no Exception, and of nobody's making."""


def came_from_handler(error: BaseException) -> bool:
    """Whether a signal's handler or a tracer raised it, or somebody pressed a key. For whoever called code of a value's
    own, which may raise anything by itself."""
    innermost = tb = TRACEBACK_OF(error)
    handlers = _codes_of_handlers() if tb is not None else []
    while tb is not None:
        if any(tb.tb_frame.f_code is code for code in handlers) or _interrupts(tb.tb_frame):
            return True
        innermost, tb = tb, tb.tb_next
    return type(error) is KeyboardInterrupt and innermost is not None and not _is_raised(innermost)


def came_from_outside(error: BaseException) -> bool:
    """Whether the exception is none of failtrace's, though it came out of our own code. For whoever would swallow it.

    One of Python's own classes that another thread throws in (`PyThreadState_SetAsyncExc`) cannot be told from ours,
    but for those that are no Exception.
    """
    return came_from_handler(error) or _is_thrown_in(error)


def from_outside(error: BaseException) -> BaseException | None:
    """The exception from outside that `error` is, or that it took the place of: a library of ours had caught that.

    What the host itself was handling when it called us was caught in a frame of the host's, and is none.
    """
    at: BaseException | None = error
    frames: list[FrameType] = []
    for _ in range(_MAX_REPLACED):
        if at is None or came_from_outside(at):
            return at
        frames.extend(frame for frame, _ in walk_tb(TRACEBACK_OF(at)))
        at = _CAUSE_OF(at) or _CONTEXT_OF(at)
        tb = TRACEBACK_OF(at) if at is not None else None
        if tb is None or tb.tb_frame not in frames:
            return None
    return None


def _codes_of_handlers() -> list[CodeType]:
    found = (_code_of(signal.getsignal(number)) for number in signal.valid_signals())
    return [code for code in found if code is not None]


def _code_of(handler: Any) -> CodeType | None:
    """The code of a function, a method, a partial or a callable object; None for `SIG_DFL` and what is written in C.

    By its type, for what a handler says of itself is code that may raise.
    """
    while type(handler) is functools.partial:
        handler = handler.func
    if type(handler) is not MethodType and type(handler) is not FunctionType:
        attributes = map(_ATTRIBUTES_OF, _BASES_OF(type(handler)))
        handler = next((own["__call__"] for own in attributes if "__call__" in own), None)
    if type(handler) is MethodType:
        handler = handler.__func__
    return handler.__code__ if type(handler) is FunctionType else None


def _interrupts(frame: FrameType) -> bool:
    """Whether a function was called as a handler is, by (number, frame), or a tracer, by (frame, event, …).

    The frame is the one that it was called from: so it is known also when it is no handler any more.
    """
    given = _arguments(frame)
    for at, value in enumerate(given):
        if value is frame.f_back and value is not None:
            before, behind = given[at - 1] if at else None, given[at + 1] if at + 1 < len(given) else None
            return isinstance(before, int) or type(behind) is str
    return False


def _arguments(frame: FrameType) -> list[Any]:
    code = frame.f_code
    takes_any = code.co_argcount or code.co_flags & inspect.CO_VARARGS
    # Our own frames may still run, and would keep what is read of them.
    if not takes_any or _root(frame.f_globals.get("__name__")) == "failtrace":
        return []
    values = frame.f_locals
    given = [values.get(name) for name in code.co_varnames[: code.co_argcount]]
    if code.co_flags & inspect.CO_VARARGS:
        rest = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        given.extend(rest if type(rest) is tuple else ())
    return given


def _is_thrown_in(error: BaseException) -> bool:
    """Whether it came up in the middle of our code, which raised nothing of the kind."""
    kind, tb = type(error), TRACEBACK_OF(error)
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    if tb is None or _is_raised(tb) or _root(_MODULE_OF(kind)) == _PANIC:
        return False
    foreign = not issubclass(kind, Exception) or _root(_MODULE_OF(kind)) not in _OURS
    return foreign and _root(_module_of(tb.tb_frame)) in _OURS


def _module_of(frame: FrameType) -> object:
    """The module whose code it runs; of what that module made of a text (a dataclass, say), whoever called it."""
    while frame.f_code.co_filename == "<string>" and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_globals.get("__name__")


def _is_raised(tb: TracebackType) -> bool:
    """Whether a statement raised it there."""
    return tb.tb_frame.f_code.co_code[tb.tb_lasti : tb.tb_lasti + 1] == _RAISE


def _root(module: object) -> str:
    return module.partition(".")[0] if type(module) is str else ""


def as_thrown(error: BaseException) -> BaseException:
    """An exception that was thrown into the caller, without the caller's frame: as it was before."""
    if (tb := TRACEBACK_OF(error)) is not None:
        _TRACEBACK.__set__(error, tb.tb_next)
    return error

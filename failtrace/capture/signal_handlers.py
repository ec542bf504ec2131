"""Whether an exception came out of a signal's handler: a program's own way to end what it waits for, wherever it is."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType, TracebackType
from typing import Any

TRACEBACK_OF: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__
"""An exception's own attributes, whatever its class says of them."""
_BASES_OF: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_ATTRIBUTES_OF: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__


def came_from_handler(error: BaseException) -> bool:
    """Whether a frame that the exception left runs a handler that is installed now. For whoever would swallow it."""
    codes = _codes_of_handlers()
    tb = TRACEBACK_OF(error)
    while tb is not None:
        if any(tb.tb_frame.f_code is code for code in codes):
            return True
        tb = tb.tb_next
    return False


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

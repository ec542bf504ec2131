"""Whether an exception came out of a signal's handler: a program's own way to end what it waits for, wherever it is."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import Any

TRACEBACK_OF: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__
"""An exception's own attributes, whatever its class says of them."""


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
    return [code for code in found if type(code) is CodeType]


def _code_of(handler: Any) -> Any:
    """The code of a function, a method, a partial or a callable object; None for `SIG_DFL` and what is written in C."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)

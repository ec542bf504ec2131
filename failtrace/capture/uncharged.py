"""What failtrace does inside a subject's process is not charged to the subject's memory limit.

Else a step that begins or ends when the limit is met would meet it too: its own `MemoryError` would hide the step, and
native code (the scan for secrets) aborts the process where it is refused memory. Only for a process that is ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from failtrace.capture.logs import CaptureHandler
from failtrace.capture.processor import CaptureProcessor
from failtrace.capture.step import step

_OURS: tuple[tuple[type, str], ...] = (
    (step, "__enter__"),
    (step, "__exit__"),
    (step, "set_attribute"),
    (CaptureProcessor, "on_start"),
    (CaptureProcessor, "on_end"),
    (CaptureHandler, "handle"),
)
"""Wherever a subject's thread enters failtrace."""


def leave_uncharged(lift: Callable[[], None], lower: Callable[[], None]) -> None:
    """From now on the limit is lifted while a subject's thread is inside failtrace."""
    for owner, name in _OURS:
        setattr(owner, name, _uncharged(getattr(owner, name), lift, lower))


def _uncharged(method: Callable[..., Any], lift: Callable[[], None], lower: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        lift()
        try:
            return method(*args, **kwargs)
        finally:
            lower()

    return call

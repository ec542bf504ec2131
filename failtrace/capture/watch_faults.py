"""What went wrong inside failtrace while it watched a host's calls: taken upon itself, counted, logged once.

Nothing here keeps an object of the host's alive: of an exception only its text stays. Every lock is reentrant, for a
signal's handler or a finaliser of the host may call a watched function in the middle of anything.
"""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from failtrace.capture.interrupts import came_from_outside, from_outside
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.guard import GUARD, MAX_KEPT

MAX_TEXT = 500
MAX_LOGGED = 16 * 1024
_log = logging.getLogger("failtrace")


class Faults:
    """A context manager that takes every exception of ours upon itself, and counts it with GUARD.

    The host's own goes on its way: what a handler of a signal, or another thread, threw in while we were at work.
    """

    def __init__(self) -> None:
        self.listener: Callable[[], object] = int
        """Called after a fault, to have it told."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nothing counted; also in a forked child, where whoever held the lock is not."""
        self._lock = threading.RLock()
        self.count = 0
        self.last: str | None = None
        """The last one, as a text."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        if error is None or came_from_outside(error):
            return False
        self.take(error)
        return True

    def take(self, error: BaseException) -> None:
        """Count a fault; log the first of the process. Raises the error itself where it is the host's own."""
        if (thrown := from_outside(error)) is not None:
            raise thrown
        with self._lock:
            self.count += 1
            GUARD.count += 1
            first = GUARD.count == 1
        # A handler of the host's logging may raise, as may an error's text; then nobody is left to tell.
        try:
            self._tell(error, first=first)
        except BaseException as untold:
            if came_from_outside(untold):
                raise

    def _tell(self, error: BaseException, *, first: bool) -> None:
        self.last = sanitise_text(f"{type(error).__name__}: {error}", Marks(), MAX_TEXT)
        if first:
            _log.warning(
                "failtrace could not record a failure and left your program alone; this is logged once, and counted "
                "in failtrace.watching.status(). %s",
                sanitise_text("".join(traceback.format_exception(error)), Marks(), MAX_LOGGED),
            )
        if len(GUARD.caught) < MAX_KEPT:
            GUARD.caught.append(_alone(error))
        self.listener()


def _alone(error: BaseException) -> Exception:
    """The error as a text: it, its frames and what it came from would keep the host's own objects alive."""
    return Fault("".join(traceback.format_exception(error)))


class Fault(Exception):
    """What went wrong, with its traceback as a text."""


FAULTS = Faults()
"""The process's one."""

os.register_at_fork(after_in_child=FAULTS.begin_anew)

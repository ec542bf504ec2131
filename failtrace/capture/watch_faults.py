"""What went wrong inside failtrace while it watched a host's calls: taken upon itself, counted, logged once.

Nothing here keeps an object of the host's alive: of an exception only its text stays. Every lock is reentrant, for a
signal's handler or a finaliser of the host may call a watched function in the middle of anything.
"""

from __future__ import annotations

import logging
import os
import threading
import traceback
from types import TracebackType

from failtrace.capture.redaction import redact_text
from failtrace.guard import GUARD, MAX_KEPT

MAX_TEXT = 500
_log = logging.getLogger("failtrace")


class Faults:
    """A context manager that takes every Exception of ours upon itself, and counts it with GUARD."""

    def __init__(self) -> None:
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
        if not isinstance(error, Exception):
            return False
        try:
            self.take(error)
        # A handler of the host's logging, or no room on the stack: nobody is left to tell.
        except Exception:  # noqa: BLE001
            self.count += 1
        return True

    def take(self, error: Exception) -> None:
        """Count a fault; log the first of the process."""
        with self._lock:
            self.count += 1
            GUARD.count += 1
            first = GUARD.count == 1
            self.last = redact_text(f"{type(error).__name__}: {error}"[:MAX_TEXT])[0]
        if first:
            _log.warning(
                "failtrace could not record a failure and left your program alone; this is logged once, and counted "
                "in failtrace.watching.status().",
                exc_info=error,
            )
        if len(GUARD.caught) < MAX_KEPT:
            GUARD.caught.append(_alone(error))


def _alone(error: Exception) -> Exception:
    """The error without its frames and what it came from, which would keep the host's own objects alive."""
    error.add_note("".join(traceback.format_tb(error.__traceback__)))
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


FAULTS = Faults()
"""The process's one."""

os.register_at_fork(after_in_child=FAULTS.begin_anew)

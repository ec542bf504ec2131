"""The guard: inside a host's own code nothing of failtrace may raise. What does is counted and logged once."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

_log = logging.getLogger("failtrace")


class Guard:
    """A context manager that takes every Exception of ours upon itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.caught: list[Exception] = []
        """The first MAX_KEPT of them, for a person or a test to look at."""
        self.count = 0

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        with self._lock:
            self.count += 1
            if len(self.caught) < MAX_KEPT:
                self.caught.append(error)
        if self.count == 1:
            _log.warning(
                "failtrace could not record a failure and left your program alone; this is logged once.", exc_info=error
            )
        return True


MAX_KEPT = 20
GUARD = Guard()
"""The process's one guard."""

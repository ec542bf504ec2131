"""What an exporter logs about its failures, heard in the thread that drives it."""

import logging
import os
import threading
from types import TracebackType
from typing import Self


class Heard(logging.Filter):
    """While open, keeps back the warnings and errors that this very thread logs by the named loggers.

    Exporters say why they failed nowhere else, and say it at every failure: unheard, an unreachable collector would
    fill the host's log.
    """

    def __init__(self, loggers: tuple[str, ...]) -> None:
        super().__init__()
        self._loggers = [logging.getLogger(name) for name in loggers]
        self._thread = (os.getpid(), threading.get_ident())
        self._last: tuple[str, str] | None = None

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.addFilter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for logger in self._loggers:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line to ourselves where it is this thread's; let all others through."""
        if (os.getpid(), record.thread) != self._thread or record.levelno < logging.WARNING:
            return True
        self._last = (str(record.msg), record.getMessage())
        return False

    def last(self, otherwise: str) -> tuple[str, str]:
        """The kind (the message without its values) and the text of what was heard since the last time."""
        heard, self._last = self._last, None
        return heard or (otherwise, otherwise)

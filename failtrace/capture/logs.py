"""Python's logging into the journal."""

import functools
import logging

from opentelemetry import trace

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.exceptions import describe_exception
from failtrace.capture.sanitiser import sanitise_text

MAX_LOG_MESSAGE = 64 * 1024


class CaptureHandler(logging.Handler):
    """Journals log records: all of the process where it has a capture of its own, else the current execution's."""

    def __init__(self, capture: Capture | None = None) -> None:
        super().__init__(logging.NOTSET)
        self._capture = capture

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a message that cannot be formatted is kept unformatted."""
        capture = self._capture or CURRENT.get()
        if capture is None:
            return
        span = trace.get_current_span().get_span_context()
        capture.log(
            {
                "k": "log",
                "t": int(record.created * 1e9),
                "level": sanitise_text(record.levelname, capture.marks, 64),
                "logger": sanitise_text(record.name, capture.marks, 256),
                "msg": self._message(record, capture),
                "id": f"{span.span_id:016x}" if span.is_valid and not span.is_remote else None,
            }
        )

    @staticmethod
    def _message(record: logging.LogRecord, capture: Capture) -> str:
        try:
            text = record.getMessage()
        # The arguments are the subject's objects: their __str__ may raise anything.
        except Exception as error:  # noqa: BLE001
            text = f"{record.msg!s} <its arguments could not be formatted: {type(error).__name__}>"
        if record.exc_info and record.exc_info[1] is not None:
            described = describe_exception(record.exc_info[1], capture.marks)
            text += f"\n{described['stacktrace']}{described['type']}: {described['message']}"
        return sanitise_text(text, capture.marks, MAX_LOG_MESSAGE)


def capture_process_logging(capture: Capture) -> None:
    """Journal all logging of this process, from INFO up unless the subject sets its own level.

    Not by a handler on the root logger: `logging.basicConfig` in a subject does nothing once there is one.
    """
    handler = CaptureHandler(capture)
    call_handlers = logging.Logger.callHandlers

    @functools.wraps(call_handlers)
    def journal_and_call(self: logging.Logger, record: logging.LogRecord) -> None:
        handler.handle(record)
        call_handlers(self, record)

    logging.Logger.callHandlers = journal_and_call  # type: ignore[method-assign]
    root = logging.getLogger()
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)

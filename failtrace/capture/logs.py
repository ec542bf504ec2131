"""Python's logging into the journal."""

import functools
import logging
import time
from typing import Any

from opentelemetry import trace

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.exceptions import describe_exception
from failtrace.capture.foreign_values import type_name
from failtrace.capture.redaction import keep_up
from failtrace.capture.sanitiser import sanitise_text
from failtrace.capture.unwieldy import is_unwieldy, short_repr

MAX_LOG_MESSAGE = 64 * 1024


class CaptureHandler(logging.Handler):
    """Journals log records: those of one execution among others in this process, or all of a process of its own."""

    def __init__(self, capture: Capture, *, whole_process: bool = False) -> None:
        super().__init__(logging.NOTSET)
        self._capture = capture
        self._whole_process = whole_process

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a message that cannot be formatted is kept unformatted."""
        capture = self._capture
        if not self._whole_process and CURRENT.get() is not capture:
            return
        try:
            keep_up()
            capture.log(self._line(record, capture))
        # A record is the subject's to build; whatever is wrong with it, the logging call goes on as without us.
        except Exception:  # noqa: BLE001
            capture.log_lost()

    def _line(self, record: logging.LogRecord, capture: Capture) -> dict[str, Any]:
        span = trace.get_current_span().get_span_context()
        return {
            "k": "log",
            "t": _nanoseconds(record.created),
            "level": sanitise_text(record.levelname, capture.marks, 64),
            "logger": sanitise_text(record.name, capture.marks, 256),
            "msg": self._message(record, capture),
            "id": f"{span.span_id:016x}" if span.is_valid and not span.is_remote else None,
        }

    @staticmethod
    def _message(record: logging.LogRecord, capture: Capture) -> str:
        try:
            text = _formatted(record)
        except KeyboardInterrupt:
            raise
        # The message and its arguments are the subject's objects: their __str__ may raise anything.
        except BaseException as error:  # noqa: BLE001
            message = sanitise_text(record.msg, capture.marks, MAX_LOG_MESSAGE)
            text = f"{message} <it could not be formatted: {type_name(type(error))}>"
        if record.exc_info and record.exc_info[1] is not None:
            described = describe_exception(record.exc_info[1], capture.marks)
            text += f"\n{described['stacktrace']}{described['type']}: {described['message']}"
        return sanitise_text(text, capture.marks, MAX_LOG_MESSAGE)


def _formatted(record: logging.LogRecord) -> str:
    """As `getMessage`, but in a time that a subject without a handler of its own can wait for."""
    args = record.args.values() if isinstance(record.args, dict) else record.args or ()
    if not any(map(is_unwieldy, (record.msg, *args))):
        return record.getMessage()
    message = short_repr(record.msg) if is_unwieldy(record.msg) else str(record.msg)
    return f"{message} {short_repr(record.args)}" if record.args else message


def _nanoseconds(created: float) -> int:
    """A record's time; now, where the subject gave it one that is none."""
    try:
        return int(created * 1e9)
    except (TypeError, ValueError, OverflowError):
        return time.time_ns()


def capture_process_logging(capture: Capture) -> None:
    """Journal all logging of this process, from INFO up unless the subject sets its own level.

    Not by a handler on the root logger: `logging.basicConfig` in a subject does nothing once there is one.
    """
    handler = CaptureHandler(capture, whole_process=True)
    call_handlers = logging.Logger.callHandlers

    @functools.wraps(call_handlers)
    def journal_and_call(self: logging.Logger, record: logging.LogRecord) -> None:
        handler.handle(record)
        call_handlers(self, record)

    logging.Logger.callHandlers = journal_and_call  # type: ignore[method-assign]
    root = logging.getLogger()
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)

"""What a capture writes down: counted as it goes, by the process whose execution it is."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import Link, SpanContext
from support.memory_journal import MemoryJournal

from failtrace.capture import logs
from failtrace.capture.capture import CURRENT, MAX_EVENTS, MAX_LOG_LINES, Capture
from failtrace.capture.logs import CaptureHandler
from failtrace.capture.tracing import PROCESSOR

SECRET = "password=hunter2secret"


@pytest.fixture
def capture() -> Iterator[Capture]:
    """The capture of the running execution."""
    capture = Capture(MemoryJournal())
    token = CURRENT.set(capture)
    yield capture
    CURRENT.reset(token)


@pytest.fixture
def logger(capture: Capture) -> logging.Logger:
    """A logger whose records go to the capture and nowhere else: it hangs under no other."""
    logger = logging.Logger("test_capture")
    logger.addHandler(CaptureHandler(capture))
    return logger


def lines(capture: Capture, kind: str) -> list[dict[str, Any]]:
    assert isinstance(capture.journal, MemoryJournal)
    return [line for line in capture.journal.lines().lines if line["k"] == kind]


def provider(**limits: int) -> TracerProvider:
    made = TracerProvider(span_limits=SpanLimits(**limits), shutdown_on_exit=False)
    made.add_span_processor(PROCESSOR)
    return made


def test_tallies_stand_in_the_lines_themselves(capture: Capture, logger: logging.Logger) -> None:
    """Whatever ends the process later, the lines so far have told what was redacted; unchanged tallies cost nothing."""
    with provider().get_tracer("t").start_as_current_span("first", attributes={"said": SECRET}) as span:
        logger.warning("nothing to hide")
        logger.warning(SECRET)
        span.set_attribute("later", SECRET)

    assert [line.get("tally", [0, 0])[1] for line in lines(capture, "start") + lines(capture, "log")] == [1, 0, 2]
    assert [line["tally"][1] for line in lines(capture, "end")] == [3]


def test_dropped_logs_are_told_before_the_end(capture: Capture, logger: logging.Logger) -> None:
    """Beyond the limit the count goes on, and reaches the journal from time to time."""
    capture._logs = MAX_LOG_LINES - 1

    for _ in range(6):
        logger.warning("line")

    assert (len(lines(capture, "log")), capture.tally()[3]) == (1, 5)
    assert [line["tally"][3] for line in lines(capture, "dropped")] == [1, 2, 4]


def test_events_and_links_that_are_not_kept_are_counted(capture: Capture) -> None:
    """The last events are kept, as the SDK does, for an exception comes last; of links only the number."""
    links = [Link(SpanContext(1, number, is_remote=False)) for number in range(1, 4)]
    with provider(max_events=1000, max_links=2).get_tracer("t").start_as_current_span("s", links=links) as span:
        for number in range(MAX_EVENTS + 5):
            span.add_event(f"event {number}")

    (end,) = lines(capture, "end")
    assert [end["ev"][0]["n"], end["ev"][-1]["n"]] == ["event 5", f"event {MAX_EVENTS + 4}"]
    assert end["d"] == [0, 5, 3]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_writes_nothing(capture: Capture, logger: logging.Logger) -> None:
    """The steps that were open at the fork are the parent's to end."""
    read, write = os.pipe()
    with provider().get_tracer("t").start_as_current_span("open at the fork") as span:
        child = os.fork()
        if child == 0:
            logger.warning("from the child")
            span.end()
            os.write(write, str(len(capture.journal.lines().lines)).encode())  # type: ignore[attr-defined]
            os._exit(0)
        os.waitpid(child, 0)

    assert os.read(read, 10) == b"1"
    assert [len(lines(capture, kind)) for kind in ("start", "log", "end")] == [1, 0, 1]
    os.close(read)
    os.close(write)


class Unprintable:
    """Its texts raise."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        raise self._error


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(3), RecursionError()])
@pytest.mark.parametrize("as_argument", [True, False])
def test_a_message_that_cannot_be_formatted_is_kept(
    capture: Capture, logger: logging.Logger, error: BaseException, as_argument: bool
) -> None:
    """A subject's logging call never raises for us, and what can be said of the record is said."""
    if as_argument:
        logger.warning("value %s", Unprintable(error))
    else:
        logger.warning(Unprintable(error))

    (line,) = lines(capture, "log")
    assert line["msg"].endswith(f"<it could not be formatted: {type(error).__name__}>")
    assert line["msg"].startswith("value %s" if as_argument else "<str of ")


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("created", float("nan"), 1),
        ("created", "noon", 1),
        ("created", 1e300, 1),
        ("levelname", Unprintable(ValueError()), 1),
        ("exc_info", 5, 0),
    ],
)
def test_a_hostile_log_record_raises_nothing(
    capture: Capture, logger: logging.Logger, field: str, value: Any, kept: int
) -> None:
    """A record is the subject's to build; one that cannot be read is counted as dropped."""
    record = logger.makeRecord("n", logging.INFO, "f", 1, "message", (), None)
    setattr(record, field, value)

    logger.handle(record)

    assert (len(lines(capture, "log")), capture.logs_dropped) == (kept, 1 - kept)


def test_only_the_current_execution_s_records_are_kept(capture: Capture) -> None:
    """Of the handlers of several executions in one process each takes its own; in a process of its own, all."""
    other = Capture(MemoryJournal())
    record = logging.makeLogRecord({"msg": "said", "levelname": "INFO"})

    for handler in (CaptureHandler(capture), CaptureHandler(other)):
        handler.handle(record)
    assert [len(lines(each, "log")) for each in (capture, other)] == [1, 0]
    logs.CaptureHandler(other, whole_process=True).handle(record)
    assert len(lines(other, "log")) == 1

"""The recording of one execution: its journal, its tallies, and which step each exception left first."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection
from contextvars import ContextVar
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import StatusCode

from failtrace.capture.exceptions import attribute, isinstance_safe
from failtrace.capture.journal import Journal
from failtrace.capture.redaction import keep_up
from failtrace.capture.sanitiser import Marks, sanitise_attributes, sanitise_text

MAX_STEPS = 100_000
MAX_LOG_LINES = 20_000
MAX_EVENTS = 128
"""Events kept of one step, the last ones, as by OpenTelemetry's SpanLimits."""
MAX_NAME = 1024

_MISSING = object()
_NOTHING = (0, 0, 0, 0, 0)
"""The tally of an execution that has only begun."""
_forks = 0
"""How many forks lie between this process and the one that began it; asking for the pid costs more at every line."""


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)
_STATUS = {StatusCode.UNSET: "unset", StatusCode.OK: "ok", StatusCode.ERROR: "error"}


class Capture:
    """Writes what an execution does into its journal, as it does it. Safe to call from any of its threads.

    A child that the subject forks has a copy of it, with open steps that are its parent's to end: the copy writes
    nothing.
    """

    __slots__ = (
        "_at_step_limit",
        "_forks",
        "_logs",
        "_open",
        "_origins",
        "_started",
        "_step_limit",
        "_steps_kept",
        "_told",
        "journal",
        "logs_dropped",
        "marks",
        "steps_dropped",
    )

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.marks = Marks()
        self.steps_dropped = 0
        self.logs_dropped = 0
        self._forks = _forks
        self._told = _NOTHING
        self._started = 0
        self._steps_kept = MAX_STEPS
        self._step_limit: float = math.inf
        self._at_step_limit: Callable[[], None] | None = None
        self._logs = 0
        self._open: dict[int, dict[str, Any]] = {}
        self._origins: list[tuple[BaseException, str]] = []

    def tally(self) -> tuple[int, int, int, int, int]:
        """Bytes cut, values redacted, steps dropped, logs dropped and lines lost, so far."""
        marks = self.marks
        return (
            marks.bytes_cut, marks.values_redacted, self.steps_dropped, self.logs_dropped, self.journal.lost_lines
        )  # fmt: skip

    def write(self, line: dict[str, Any]) -> None:
        """Journal one line, with the tallies where they changed: so a killed process has told them too."""
        if self._forks != _forks:
            return
        tally = self.tally()
        if tally != self._told:
            line["tally"] = self._told = tally
        self.journal.write(line)

    def limit_steps(self, limit: int, at_limit: Callable[[], None]) -> None:
        """Call `at_limit` when the execution begins a step beyond the `limit`-th, in the thread that begins it."""
        self._steps_kept = min(MAX_STEPS, limit)
        self._step_limit, self._at_step_limit = limit, at_limit

    def step_started(self, span: Span) -> None:
        """One journal line with what is known of the step at its start."""
        keep_up()
        self._started += 1
        if self._started > self._steps_kept:
            self._drop_step()
            return
        context = span.get_span_context()
        parent = span.parent
        attributes = _plain(span)
        self._open[context.span_id] = attributes
        self.write(
            {
                "k": "start",
                "id": f"{context.span_id:016x}",
                "p": f"{parent.span_id:016x}" if parent is not None else None,
                "n": sanitise_text(span.name, self.marks, MAX_NAME),
                "t": span.start_time,
                "a": sanitise_attributes(attributes, self.marks),
            }
        )

    def _drop_step(self) -> None:
        self.steps_dropped += 1
        if self._at_step_limit is not None and self._started > self._step_limit and self._forks == _forks:
            self._at_step_limit()
        self._note_dropped(self.steps_dropped)

    def step_ended(self, span: ReadableSpan) -> None:
        """One journal line with what the step gained since its start."""
        keep_up()
        context = span.get_span_context()
        known = self._open.pop(context.span_id, None) if context is not None else None
        if context is None or known is None:
            return
        gained = {key: value for key, value in _plain(span).items() if known.get(key, _MISSING) is not value}
        line: dict[str, Any] = {
            "k": "end",
            "id": f"{context.span_id:016x}",
            "t": span.end_time,
            "s": _STATUS[span.status.status_code],
            "a": sanitise_attributes(gained, self.marks) if gained else gained,
        }
        if span.status.description:
            line["m"] = sanitise_text(span.status.description, self.marks)
        events, links = _held(span, "_events"), _held(span, "_links")
        if events:
            line["ev"] = [
                {"n": sanitise_text(event.name, self.marks, MAX_NAME), "t": event.timestamp,
                 "a": sanitise_attributes(event.attributes or {}, self.marks)}
                for event in list(events)[-MAX_EVENTS:]
            ]  # fmt: skip
        dropped = (
            span.dropped_attributes,
            span.dropped_events + max(0, len(events) - MAX_EVENTS),
            # None of the links is kept.
            span.dropped_links + len(links),
        )
        if any(dropped):
            line["d"] = dropped
        self.write(line)

    def log(self, line: dict[str, Any]) -> None:
        """One journal line for a record of logging."""
        self._logs += 1
        if self._logs > MAX_LOG_LINES:
            self.log_lost()
        else:
            self.write(line)

    def log_lost(self) -> None:
        """Count a record of logging that is not kept."""
        self.logs_dropped += 1
        self._note_dropped(self.logs_dropped)

    def _note_dropped(self, count: int) -> None:
        """The tallies reach the journal at every power of two too: there may be no other line to come."""
        if count & (count - 1) == 0:
            self.write({"k": "dropped"})

    def exception_left(self, error: BaseException, step_id: str) -> None:
        """Remember the first step that `error` left."""
        if all(known is not error for known, _ in self._origins):
            self._origins.append((error, step_id))
            del self._origins[:-64]

    def origin_of(self, error: BaseException) -> str | None:
        """The step where `error` began: following explicit causes, and a group's first member, to the innermost."""
        for candidate in _lineage(error):
            for known, step_id in self._origins:
                if known is candidate:
                    return step_id
        return None


def _plain(span: ReadableSpan) -> dict[str, Any]:
    """A copy of the attributes. The SDK's public mapping takes two views, a lock and several calls for each key."""
    attributes = getattr(span, "_attributes", None) or span.attributes or {}
    return dict(getattr(attributes, "_dict", attributes))


def _held(span: ReadableSpan, name: str) -> Collection[Any]:
    """A span's own list. The SDK's public property copies it under a lock, empty as it mostly is."""
    held: Collection[Any] | None = getattr(span, name, None)
    return getattr(span, name[1:]) if held is None else held


def _lineage(error: BaseException) -> list[BaseException]:
    """`error`, what explicitly caused it and the first members of groups; the innermost first."""
    lineage = [error]
    while len(lineage) < 32:
        current = lineage[-1]
        is_group = isinstance_safe(current, BaseExceptionGroup)
        members = BaseExceptionGroup.exceptions.__get__(current) if is_group else (attribute(current, "__cause__"),)
        deeper = members[0]
        if deeper is None or any(deeper is known for known in lineage):
            break
        lineage.append(deeper)
    return lineage[::-1]


CURRENT: ContextVar[Capture | None] = ContextVar("failtrace_capture", default=None)
"""The capture of the running execution; inherited by its tasks and threads."""

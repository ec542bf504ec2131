"""What a watched call does, as steps of its own and of the watched calls around it."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, Span

from failtrace.capture.capture import Capture
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import CallJournal

MAX_WITHIN = 8
"""Watched calls around one another that hear of the same step."""


class WatchedCapture(Capture):
    """The capture of a watched call; the watched calls around it hear of its steps too. Raises nothing."""

    __slots__ = ("depth", "ended", "number", "outer")

    depth: int
    outer: WatchedCapture | None

    def __init__(self, journal: CallJournal, outer: WatchedCapture | None) -> None:
        super().__init__(journal)
        self.number = journal.number
        self.depth = outer.depth + 1 if outer is not None else 0
        self.outer = outer if self.depth % MAX_WITHIN else None
        self.ended = False
        """Steps may end after their call has, in other threads and tasks; nobody hears of them."""

    def end(self) -> None:
        """The call is over. A task of its may live on, and this with it: no exception of the host's does."""
        self.ended = True
        self._origins.clear()

    def write(self, line: dict[str, Any]) -> None:
        """See Capture."""
        if not self.ended:
            super().write(line)

    def step_started(self, span: Span) -> None:
        """See Capture."""
        if not self.ended:
            # Not `with FAULTS`, which costs where nothing happens.
            try:
                super().step_started(span)
            except BaseException as error:  # noqa: BLE001
                FAULTS.take(error)
        if self.outer is not None:
            self.outer.step_started(span)

    def step_ended(self, span: ReadableSpan) -> None:
        """See Capture."""
        if not self.ended:
            # Not `with FAULTS`, which costs where nothing happens.
            try:
                super().step_ended(span)
            except BaseException as error:  # noqa: BLE001
                FAULTS.take(error)
        if self.outer is not None:
            self.outer.step_ended(span)

    def exception_left(self, error: BaseException, step_id: str) -> None:
        """See Capture."""
        if not self.ended:
            super().exception_left(error, step_id)
        if self.outer is not None:
            self.outer.exception_left(error, step_id)

"""One execution asked for, and the two ways it is carried out behind one Protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from failtrace.capture.journal import Segment
from failtrace.subjects.subject import Subject

Isolation = Literal["process", "inline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRequest:
    """Which subject, on which input, under which ids and limits."""

    subject: Subject
    input: Any
    timeout: float
    """Seconds from the moment the subject starts."""
    trace_id: str
    failure_id: str
    """The id of the failure, should there be one: known beforehand, so that a recovered record is no second one."""
    run_id: str | None
    attributes: Mapping[str, Any]
    journal: Path
    """Folder of the journal's segments."""


class Executor(Protocol):
    """Runs one subject on one input. Every implementation passes the same suite."""

    isolation: Isolation

    def execute(self, request: ExecutionRequest) -> Segment:
        """Run to the end and give the segment that tells the story, locked; the caller discards or leaves it.

        Raises SubjectError where the subject cannot be loaded or sent, ExecutionError where failtrace itself
        could not carry the execution through. Never raises for what the subject does.
        """
        ...

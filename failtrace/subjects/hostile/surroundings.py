"""Subjects that change what others would share with them, were they not alone in their process."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from failtrace.capture.step import step
from failtrace.contracts import EndedBy, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, returns

_kept: list[Iterator[int]] = []


def _its_step_ended_itself(record: TraceRecord) -> bool:
    return [step.ended_by for step in record.steps] == [EndedBy.ITSELF]


def _its_step_was_closed(record: TraceRecord) -> bool:
    return [step.ended_by for step in record.steps] == [EndedBy.PARENT_ENDED]


@hostile(
    "Closes every descriptor", returns("it returns, and what it did afterwards is recorded", _its_step_ended_itself)
)
def close_every_descriptor() -> str:
    """As a daemon does, the journal's and the standard streams' among them."""
    os.closerange(0, 1 << 16)
    with step("afterwards"):
        return "closed"


@hostile("Changes directory, umask, environment", returns("it returns, and nobody else notices"))
def change_everything() -> str:
    """Whatever a process has of the kind."""
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    sys.path.clear()
    sys.setrecursionlimit(100)
    return str(Path.cwd())


@hostile(
    "Never closes a generator", returns("it returns, and the step that stayed open is closed", _its_step_was_closed)
)
def never_close_a_generator() -> int:
    """A stream that is read once and kept, with a step open inside."""

    def stream() -> Iterator[int]:
        with step("stream"):
            yield 1
            yield 2

    _kept.append(stream())
    return next(_kept[0])

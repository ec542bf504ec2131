"""Subjects that change what others would share with them, were they not alone in their process."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from failtrace.capture.step import step
from failtrace.contracts import EndedBy, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, returns

_kept: list[Iterator[int]] = []


def _one_step(ended_by: EndedBy) -> "_Steps":
    return _Steps(ended_by)


class _Steps:
    """Whether a record has exactly one step, that ended like this."""

    def __init__(self, ended_by: EndedBy) -> None:
        self._ended_by = ended_by

    def __call__(self, record: TraceRecord) -> bool:
        return [step.ended_by for step in record.steps] == [self._ended_by]


@hostile("Closes every descriptor", returns("it returns, and what it did afterwards is recorded", _one_step(EndedBy.ITSELF)))
def close_every_descriptor() -> str:
    """As a daemon does, the journal's and the standard streams' among them."""
    os.closerange(0, 1 << 16)
    with step("afterwards"):
        return "closed"

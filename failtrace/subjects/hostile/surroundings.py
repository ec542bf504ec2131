"""Subjects that change what others would share with them, were they not alone in their process."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from failtrace.capture.step import step
from failtrace.contracts import EndedBy, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, returns
from failtrace.subjects.hostile.healthy import open_descriptors

_ENDED_BY: Final = {
    EndedBy.ITSELF: "itself",
    EndedBy.TIMEOUT: "the deadline",
    EndedBy.PROCESS_DEATH: "the death of its process",
    EndedBy.PARENT_ENDED: "the end of what it stood in",
}
_kept: list[Iterator[int]] = []


def _its_step_ended_itself(record: TraceRecord) -> bool:
    return [step.ended_by for step in record.steps] == [EndedBy.ITSELF]


def _its_step_was_closed(record: TraceRecord) -> bool:
    return [step.ended_by for step in record.steps] == [EndedBy.PARENT_ENDED]


def _steps_seen(record: TraceRecord) -> str:
    return " ".join([f"The step {step.name!r} was ended by {_ENDED_BY[step.ended_by]}." for step in record.steps])


def _told(record: TraceRecord, name: str) -> Any:
    return record.output.get(name) if isinstance(record.output, dict) else None


def _descriptors_seen(record: TraceRecord) -> str:
    before, after = _told(record, "open before"), _told(record, "open afterwards")
    return f"Of its {before} open descriptors {after} stayed open. {_steps_seen(record)}"


@hostile(
    "Closes every descriptor",
    returns("it returns, and what it did afterwards is recorded", _its_step_ended_itself, _descriptors_seen),
)
def close_every_descriptor() -> dict[str, int]:
    """As a daemon does, the journal's and the standard streams' among them."""
    before = open_descriptors()
    os.closerange(0, 1 << 16)
    after = open_descriptors()
    with step("afterwards"):
        return {"open before": before, "open afterwards": after}


def _surroundings() -> dict[str, str]:
    return {"directory": str(Path.cwd()), "umask": f"{_umask():03o}", "environment": f"{len(os.environ)} variables"}


def _umask() -> int:
    """As the kernel tells it where it does: to ask the process means to change it, and other threads write files."""
    try:
        found = re.search(r"^Umask:\s*([0-7]+)", Path("/proc/self/status").read_text(errors="replace"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1], 8)
    os.umask(umask := os.umask(0o077))
    return umask


def _nobody_noticed(record: TraceRecord) -> bool:
    """All of its own changed, and nothing of the program that ran it."""
    before, after = _told(record, "before"), _told(record, "after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    return before == _surroundings() and all(before[name] != after.get(name) for name in before)


def _changes_seen(record: TraceRecord) -> str:
    before, after = _told(record, "before") or {}, _told(record, "after") or {}
    changes = [f"{name} {before[name]} became {after.get(name)}" for name in before]
    return f"Its {', '.join(changes)}; here they are {', '.join(_surroundings().values())}."


@hostile(
    "Changes directory, umask, environment",
    returns("it returns, and nobody else notices", _nobody_noticed, _changes_seen),
)
def change_everything() -> dict[str, dict[str, str]]:
    """Whatever a process has of the kind."""
    before = _surroundings()
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    sys.path.clear()
    sys.setrecursionlimit(100)
    return {"before": before, "after": _surroundings()}


@hostile(
    "Never closes a generator",
    returns("it returns, and the step that stayed open is closed", _its_step_was_closed, _steps_seen),
)
def never_close_a_generator() -> int:
    """A stream that is read once and kept, with a step open inside."""

    def stream() -> Iterator[int]:
        with step("stream"):
            yield 1
            yield 2

    _kept.append(stream())
    return next(_kept[0])

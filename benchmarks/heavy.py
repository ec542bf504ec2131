"""Two failures of the heavy kind, stored by the product's own write path: one of 30,000 steps, one of 20 MB."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks import story
from benchmarks.places import CACHE
from failtrace.codec import encode_record
from failtrace.contracts import FailureType, TraceRecord, TraceStep
from failtrace.mirror.mirror import Mirror

STEPS = 30_000
BYTES = 20_000_000
_BEGAN = datetime(2026, 3, 31, tzinfo=UTC)
_BRANCH = 30
"""Children of an inner step."""


class Heavy(NamedTuple):
    """The home folder and the failure_ids."""

    path: Path
    many_steps: str
    large: str


def heavy_home() -> Heavy:
    """Made once and kept in `.bench/`."""
    home = Heavy(CACHE / "heavy", _failure_id(1), _failure_id(2))
    if not home.path.exists():
        making = CACHE / "heavy.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        with Mirror.open(making / "mirror.sqlite") as mirror:
            for number, steps, text in ((1, STEPS, 200), (2, 100, BYTES // 200)):
                record = heavy_record(number, steps, text)
                mirror.write([(record, encode_record(record))])
        making.rename(home.path)
    return home


def heavy_record(number: int, steps: int, text: int) -> TraceRecord:
    """A failure with so many steps, each with an input and an output of `text` characters."""
    outline = story.outline(story.SUBJECTS[0], FailureType.EXCEPTION, _BEGAN)
    assert outline.failure is not None  # an outline of that type has one
    made = tuple([_step(outline.steps[at % len(outline.steps)], at, steps, text) for at in range(steps)])
    failure_id, trace_id = _failure_id(number), f"{number:032x}"
    failure = outline.failure.model_copy(
        update={"failure_id": failure_id, "trace_id": trace_id, "step_id": made[-1].step_id}
    )
    counted = outline.completeness.model_copy(update={"steps_started": steps, "steps_recorded": steps})
    return outline.model_copy(
        update={
            "failure_id": failure_id,
            "trace_id": trace_id,
            "failure": failure,
            "steps": made,
            "completeness": counted,
        }
    )


def _step(outline: TraceStep, at: int, steps: int, text: int) -> TraceStep:
    """Step `at` of a tree in which every inner step has `_BRANCH` children."""
    parent = (at - 1) // _BRANCH
    share = timedelta(milliseconds=at * 1000 / steps)
    words = (story.SENTENCE * (text // len(story.SENTENCE) + 1))[:text]
    return outline.model_copy(
        update={
            "step_id": f"{at + 1:016x}",
            "parent_id": f"{parent + 1:016x}" if at else None,
            "sequence": at,
            "started_at": _BEGAN + share,
            "duration_ms": 1000.0 if at == 0 else 1000 / steps,
            "input": {"text": words},
            "output": words,
        }
    )


def _failure_id(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012x}"

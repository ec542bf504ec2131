"""The steps of a record in reading order, as the timeline draws them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from failtrace.contracts import EndedBy, StepStatus, TraceRecord, TraceStep
from failtrace.ui.wording import duration

_LONGEST_NAME = 200
_ENDED = {
    EndedBy.ITSELF: "",
    EndedBy.TIMEOUT: "was open at the deadline",
    EndedBy.PROCESS_DEATH: "was open when the process died",
    EndedBy.PARENT_ENDED: "was open when its parent ended",
}


def reading_order(steps: Sequence[TraceStep]) -> list[tuple[TraceStep, int]]:
    """Each step with its depth, a parent before its children, siblings in the order of starting.

    A step whose parent is not in the record counts as a root; so does one of each ring of parents, once.
    """
    known = {step.step_id for step in steps}
    children: dict[str | None, list[TraceStep]] = defaultdict(list)
    for step in sorted(steps, key=lambda step: step.sequence):
        children[step.parent_id if step.parent_id in known else None].append(step)
    ordered: list[tuple[TraceStep, int]] = []
    seen: set[str] = set()
    for root in [*children[None], *sorted(steps, key=lambda step: step.sequence)]:
        waiting = [(root, 0)]
        while waiting:
            step, depth = waiting.pop()
            if step.step_id in seen:
                continue
            seen.add(step.step_id)
            ordered.append((step, depth))
            waiting.extend((child, depth + 1) for child in reversed(children[step.step_id]))
    return ordered


def how_it_ended(step: TraceStep) -> str:
    """Empty where the step ended by itself."""
    return _ENDED[step.ended_by]


def first_chosen(record: TraceRecord) -> str | None:
    """The step to open with: the one that failed, else the last that erred, else the first."""
    if record.failure and record.failure.step_id:
        return record.failure.step_id
    erred = [step.step_id for step in record.steps if step.status is StepStatus.ERROR]
    if erred:
        return erred[-1]
    return record.steps[0].step_id if record.steps else None


def timeline_data(record: TraceRecord, selected: str | None) -> dict[str, Any]:
    """Parallel arrays for the timeline component; times are milliseconds from the execution's start."""
    ordered = reading_order(record.steps)
    steps = [step for step, _ in ordered]
    starts = [_since(record.started_at, step.started_at) for step in steps]
    ends = [start + step.duration_ms for start, step in zip(starts, steps, strict=True)]
    return {
        "ids": [step.step_id for step in steps],
        "names": [step.name[:_LONGEST_NAME] for step in steps],
        "kinds": [str(step.kind) for step in steps],
        "depths": [depth for _, depth in ordered],
        "starts": starts,
        "durations": [step.duration_ms for step in steps],
        "marks": [_mark(step) for step in steps],
        "titles": [_title(step) for step in steps],
        "total_ms": max([record.duration_ms, *ends]),
        "selected": selected,
    }


def _since(origin: datetime, moment: datetime) -> float:
    return max(0.0, (moment - origin).total_seconds() * 1000)


def _mark(step: TraceStep) -> str:
    """A step that a deadline or its parent's end closed is `open`; one that its process died in has failed."""
    if step.status is StepStatus.ERROR or step.ended_by is EndedBy.PROCESS_DEATH:
        return "error"
    return "" if step.ended_by is EndedBy.ITSELF else "open"


def _title(step: TraceStep) -> str:
    ended = how_it_ended(step)
    return f"{step.name[:_LONGEST_NAME]} · {duration(step.duration_ms)}" + (f" · {ended}" if ended else "")

"""The steps of a record in reading order, as the timeline draws them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from failtrace.contracts import EndedBy, StepStatus, TraceRecord, TraceStep

_LONGEST_NAME = 200
_ENDED = {
    EndedBy.ITSELF: "",
    EndedBy.TIMEOUT: "was open at the deadline",
    EndedBy.PROCESS_DEATH: "was open when the process died",
    EndedBy.PARENT_ENDED: "was open when its parent ended",
}


_MARKS = {EndedBy.ITSELF: 0, EndedBy.TIMEOUT: 2, EndedBy.PARENT_ENDED: 3, EndedBy.PROCESS_DEATH: 4}
"""As timeline.js reads them."""


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


def timeline_data(record: TraceRecord) -> dict[str, Any]:
    """Parallel arrays for the timeline component; times are milliseconds from the execution's start.

    Names and kinds stand once, with an index for each step: 30,000 steps are about a megabyte.
    """
    ordered = reading_order(record.steps)
    steps = [step for step, _ in ordered]
    starts = [round(_since(record.started_at, step.started_at), 3) for step in steps]
    durations = [round(step.duration_ms, 3) for step in steps]
    names = {name: at for at, name in enumerate(dict.fromkeys([step.name[:_LONGEST_NAME] for step in steps]))}
    kinds = {kind: at for at, kind in enumerate(dict.fromkeys([str(step.kind) for step in steps]))}
    ends = [start + took for start, took in zip(starts, durations, strict=True)]
    return {
        "record": record.trace_id,
        "ids": "".join([step.step_id for step in steps]),
        "names": list(names),
        "name": [names[step.name[:_LONGEST_NAME]] for step in steps],
        "kinds": list(kinds),
        "kind": [kinds[str(step.kind)] for step in steps],
        "depths": [depth for _, depth in ordered],
        "starts": starts,
        "durations": durations,
        "marks": [_mark(step) for step in steps],
        "total_ms": max([record.duration_ms, *ends]),
        "failing": record.failure.step_id if record.failure else None,
        "failure": str(record.failure.failure_type) if record.failure else "",
    }


def _since(origin: datetime, moment: datetime) -> float:
    return max(0.0, (moment - origin).total_seconds() * 1000)


def _mark(step: TraceStep) -> int:
    """By what ended it where that was not itself; a step that erred, and was ended by nothing else, is 1."""
    return _MARKS[step.ended_by] or int(step.status is StepStatus.ERROR)

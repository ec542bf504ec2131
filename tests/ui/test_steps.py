from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.records import NOON, make_record, make_step

from failtrace.contracts import EndedBy, FailureType, StepStatus, TraceStep
from failtrace.ui.failure.steps import first_chosen, reading_order, timeline_data


@st.composite
def trees(draw: st.DrawFn) -> list[TraceStep]:
    """Steps whose parents may be any of them, themselves, or a step that is not there."""
    count = draw(st.integers(0, 12))
    parents = draw(st.lists(st.none() | st.integers(0, count + 1), min_size=count, max_size=count))
    steps = [
        make_step(f"s{at}", at, parent_id=None if parent is None else f"{parent + 1:016x}")
        for at, parent in enumerate(parents)
    ]
    return draw(st.permutations(steps))


@given(trees())
def test_every_step_is_shown_once_and_below_its_parent(steps: list[TraceStep]) -> None:
    """Whatever the parents are, missing or in a ring, no step may be lost, doubled, or stand apart from its parent."""
    ordered = reading_order(steps)

    assert sorted(step.sequence for step, _ in ordered) == list(range(len(steps)))
    for at, (step, depth) in enumerate(ordered):
        if depth:
            above = next(other for other, level in reversed(ordered[:at]) if level == depth - 1)
            assert above.step_id == step.parent_id


def test_the_timeline_shows_offsets_marks_and_the_step_to_open() -> None:
    """Offsets must count from the execution's start, open and failed steps be marked, and the failed one chosen."""
    steps = (
        make_step("plan", 0, started_at=NOON, duration_ms=10.0),
        make_step(
            "ask",
            1,
            parent_id=f"{1:016x}",
            started_at=NOON + timedelta(milliseconds=4),
            duration_ms=6.0,
            status=StepStatus.ERROR,
        ),
        make_step("wait", 2, started_at=NOON + timedelta(milliseconds=10), duration_ms=30.0, ended_by=EndedBy.TIMEOUT),
    )
    passed = make_record(None, steps=steps, started_at=NOON, duration_ms=12.5)

    data = timeline_data(passed)

    assert [data["names"][at] for at in data["name"]] == ["plan", "ask", "wait"]
    assert data["ids"] == "".join([f"{number:016x}" for number in (1, 2, 3)])
    assert data["depths"] == [0, 1, 0]
    assert data["starts"] == [0.0, 4.0, 10.0]
    assert data["marks"] == [0, 1, 2]
    assert data["total_ms"] == 40.0
    assert data["failure"] == ""
    assert timeline_data(make_record(FailureType.TIMEOUT, steps=steps))["failure"] == "timeout"
    assert first_chosen(passed) == f"{2:016x}"
    assert first_chosen(make_record(FailureType.EXCEPTION, steps=steps)) == f"{1:016x}"
    assert first_chosen(make_record(None, steps=())) is None

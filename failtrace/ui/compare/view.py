"""Two records side by side: their heads, their steps in pairs, and what is different in the chosen pair."""

from typing import Any, Final

import streamlit as st

from failtrace.analysis.alignment import Alignment, Answer, Pair, align, in_words
from failtrace.analysis.differences import MOST_CHANGES, Change, changes, text_changes
from failtrace.contracts import Json, StepStatus, TraceRecord, TraceStep
from failtrace.ui.components import Fact, component, header
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import FailureAddress
from failtrace.ui.values import NOT_RECORDED, show_json, show_text
from failtrace.ui.wording import duration, no_output, plural

_compare = component(
    "compare",
    """<div class="compare">
      <div class="tools">
        <label><input class="only" type="checkbox"> Only differences</label>
        <span class="told" role="status"></span>
      </div>
      <div class="top" aria-hidden="true"><span>Left</span><span></span><span>Right</span></div>
      <div class="pane" role="listbox" tabindex="0" aria-label="Pairs of steps; n goes to the next difference">
        <div class="canvas" role="presentation"></div>
      </div>
    </div>""",
)
_NOTHING: Final = ("Nothing.", "Nothing.")
_ANSWERS: Final[tuple[Answer, ...]] = ("same", "differs", "left", "right")
_LONG_TEXT: Final = 200
_MOST_SHOWN: Final = 20
_SLIGHTLY: Final = 1.05
_MANY_TIMES: Final = 10
_SHOWN: Final = 4_000
"""Characters of a changed value on either side."""


def show_heads(left: TraceRecord, right: TraceRecord) -> None:
    """Who is compared with whom, each a link to its page."""
    for name, column, record in zip(("Left", "Right"), st.columns(2), (left, right), strict=True):
        failure = record.failure
        any_id = record.failure_id or record.trace_id
        with column:
            header(
                record.subject.name,
                [
                    Fact(name, any_id, "mono", href=FailureAddress(any_id).link),
                    Fact("Ended", record.ended_at.isoformat(), "time"),
                    Fact("Took", duration(record.duration_ms)),
                    Fact("Steps", f"{len(record.steps):,}"),
                ],
                key=f"head-{name}",
                badge=kind_of(failure.failure_type if failure else None).key,
                text=failure.message[:_SHOWN] if failure else "",
            )


@st.fragment
def show_pairs(left: TraceRecord, right: TraceRecord) -> None:
    """The steps, and the chosen pair in detail; the first difference is chosen at first."""
    found = _aligned(left.trace_id, right.trace_id, left, right)
    first = found.first_difference
    st.text(_headline(found, first))
    if not found.pairs:
        return
    data = _data(found) | {"key": f"{left.trace_id}-{right.trace_id}", "first": -1 if first is None else first}
    data["selected"] = first or 0
    said = _compare(key=f"compare-{data['key']}", data=data, on_selected_change=_nothing).get("selected")
    chosen = said if isinstance(said, int) and 0 <= said < len(found.pairs) else data["selected"]
    with st.container(border=True):
        _show_pair(found.pairs[chosen])


def show_records(left: TraceRecord, right: TraceRecord) -> None:
    """What the executions themselves were given and gave, and where they ran."""
    values, surroundings = st.tabs(["Input and output", "Environment"])
    with values:
        _show_values("Input", left.input, right.input, "input")
        _show_outputs(left, right)
    with surroundings:
        ours, theirs = _surroundings(left), _surroundings(right)
        _show_values("Environment", ours, theirs, "environment")


def _surroundings(record: TraceRecord) -> Json:
    return {
        "subject": record.subject.model_dump(mode="json"),
        "environment": record.environment.model_dump(mode="json"),
        "attributes": record.attributes,
    }


@st.cache_data(max_entries=4, show_spinner=False)
def _aligned(left_id: str, right_id: str, _left: TraceRecord, _right: TraceRecord) -> Alignment:
    """Kept, since every choice of a pair asks for it again."""
    del left_id, right_id
    return align(_left.steps, _right.steps)


def _headline(found: Alignment, first: int | None) -> str:
    if not found.pairs:
        return "Neither execution opened a step."
    if first is None:
        return f"All {plural(len(found.pairs), 'step')} are the same."
    pair = found.pairs[first]
    step = pair.left or pair.right
    alone = "is " if pair.answer in ("left", "right") else ""
    return f"The first difference: step '{step.name if step else ''}' {alone}{_told(pair)}."


def _told(pair: Pair) -> str:
    if pair.left and pair.right and "output" in pair.differs_in:
        counts = [_items(pair.left.output), _items(pair.right.output)]
        if None not in counts and counts[0] != counts[1]:
            return f"gave {counts[0]} on the left and {counts[1]} on the right"
    return in_words(pair)


def _items(value: Json) -> str | None:
    return plural(len(value), "item") if isinstance(value, list) else None


def _data(found: Alignment) -> dict[str, Any]:
    steps = [step for pair in found.pairs for step in (pair.left, pair.right) if step]
    names = {name: at for at, name in enumerate(dict.fromkeys([step.name[:_LONG_TEXT] for step in steps]))}

    def side(step: TraceStep | None) -> tuple[int, float, bool]:
        if step is None:
            return -1, 0.0, False
        return names[step.name[:_LONG_TEXT]], round(step.duration_ms, 3), step.status is StepStatus.ERROR

    sides = [(side(pair.left), side(pair.right)) for pair in found.pairs]
    return {
        "names": list(names),
        "depths": [pair.depth for pair in found.pairs],
        "answers": [_ANSWERS.index(pair.answer) for pair in found.pairs],
        **{f"{name}{part}": [sides[at][which][number] for at in range(len(sides))]
           for which, name in enumerate(("left", "right"))
           for number, part in enumerate(("", "_took", "_failed"))},
    }  # fmt: skip


def _show_pair(pair: Pair) -> None:
    step = pair.left or pair.right
    if step is None:
        return
    st.text(step.name)
    st.caption(in_words(pair) or "the same on both sides")
    if pair.left and pair.right:
        _show_both(pair.left, pair.right)
    else:
        _show_alone(step)
    for side, holder in (("left", pair.left), ("right", pair.right)):
        if holder and holder.error:
            st.caption(f"Exception on the {side}")
            show_text(f"{holder.error.type}: {holder.error.message}"[:_SHOWN], f"{side}-{step.step_id}-error")


def _show_both(left: TraceStep, right: TraceStep) -> None:
    st.caption(
        f"{duration(left.duration_ms)} on the left, {duration(right.duration_ms)} on the right{_pace(left, right)}"
    )
    for label in ("input", "output", "attributes"):
        ours, theirs = getattr(left, label), getattr(right, label)
        if ours != theirs:
            _show_values(label.capitalize(), ours, theirs, f"{left.step_id}-{label}", nothing=(NOT_RECORDED,) * 2)


def _pace(left: TraceStep, right: TraceStep) -> str:
    """How the right one compares, as a number that is not below one; nothing where it took about as long."""
    few, many = sorted((left.duration_ms, right.duration_ms))
    if not few or many / few < _SLIGHTLY:
        return ""
    times = f"{many / few:,.0f}" if many / few >= _MANY_TIMES else f"{many / few:.1f}"
    return f", {times} times as {'long' if right.duration_ms > left.duration_ms else 'fast'}"


def _show_alone(step: TraceStep) -> None:
    """There is nothing to hold it against, so what it holds is shown as it is."""
    for label in ("input", "output", "attributes"):
        value: Json = getattr(step, label)
        if value or label != "attributes":
            st.caption(label.capitalize())
            show_json(value, f"{step.step_id}-{label}", nothing=NOT_RECORDED)


def _show_outputs(left: TraceRecord, right: TraceRecord) -> None:
    ours, theirs = [_without_output(record) for record in (left, right)]
    if "returned" in (left.outcome.kind, right.outcome.kind) or ours != theirs:
        _show_values("Output", left.output, right.output, "output", nothing=(ours, theirs))
    else:
        st.caption("Output")
        st.caption(no_output(left))


def _without_output(record: TraceRecord) -> str:
    return "Nothing." if record.outcome.kind == "returned" else no_output(record)


def _show_values(label: str, left: Json, right: Json, name: str, nothing: tuple[str, str] = _NOTHING) -> None:
    """Changed paths with both values, long texts line by line; `nothing` says what no value means on either side."""
    found = changes(left, right)
    if not found and nothing[0] != nothing[1]:
        found = (Change("$", "changed", left, right),)
    st.caption(label if found else f"{label}: the same")
    if not found:
        show_json(left, f"same-{name}", nothing=nothing[0])
        return
    for at, change in enumerate(found[:_MOST_SHOWN]):
        _show_change(change, f"{name}-{at}", nothing)
    if len(found) > _MOST_SHOWN:
        more = "more than " if len(found) == MOST_CHANGES else ""
        st.caption(f"The first {_MOST_SHOWN} of {more}{plural(len(found), 'difference')}.")


def _show_change(change: Change, name: str, nothing: tuple[str, str]) -> None:
    # A root has no name of its own: the label above says what it is. Below it, no value is a value too.
    if change.path != "$":
        st.text(f"{change.path.removeprefix('$.')} {change.kind}")
        nothing = _NOTHING
    if isinstance(change.left, str) and isinstance(change.right, str) and _is_long(change.left, change.right):
        show_text(text_changes(change.left, change.right), name)
        return
    absent = {"added": ("Not there.", nothing[1]), "removed": (nothing[0], "Not there.")}.get(change.kind, nothing)
    sides = zip(st.columns(2), ("Left", "Right"), (change.left, change.right), absent, strict=True)
    for column, side, value, words in sides:
        with column:
            # Each by its name: on a narrow page one stands below the other.
            st.caption(side)
            show_json(value, f"{side}-{name}", nothing=words)


def _is_long(left: str, right: str) -> bool:
    return min(len(left), len(right)) > _LONG_TEXT and "\n" in left + right


def _nothing() -> None:
    """Streamlit hands a value back only for a name that has a callback."""

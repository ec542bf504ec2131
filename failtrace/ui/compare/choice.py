"""Which two records are compared: what the boxes say, the passing twin where they leave it open, and the others."""

from typing import Final

import streamlit as st

from failtrace.contracts import TraceRecord
from failtrace.errors import FailtraceError, NoAnswer
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow
from failtrace.storage.trace_store import TraceStore
from failtrace.ui import bootstrap
from failtrace.ui.kinds import kind_of
from failtrace.ui.notices import ask, empty, no_id, stop_with, wait_for_answer
from failtrace.ui.url_state import CompareAddress, FailureAddress, first_said
from failtrace.wording import ago

_PATIENCE_S: Final = 0.5
_OTHERS: Final = 20
_LONGEST: Final = 200
"""Characters of what is no id that the address keeps."""


def boxes(mirror: Mirror) -> CompareAddress:
    """Two boxes that take any id, and a button that turns them round: they and the address say the same.

    With an id on the left alone, a passing execution of the same subject stands on the right.
    """
    _follow_address(mirror)
    one, turn, other = st.columns([9, 3, 9], vertical_alignment="bottom")
    texts = [_box(one, "left"), _box(other, "right")]
    ids = [FailureAddress.parse(text).failure_id for text in texts]
    turn.button("Swap", icon=":material/swap_horiz:", on_click=_swap, width="stretch", disabled=not ids[1])
    misread = [side for side, text, any_id in zip(("left", "right"), texts, ids, strict=True) if text and not any_id]
    if misread:
        no_id(f"On the {' and on the '.join(misread)}: a")
        bootstrap.link_to("failures", "All failures")
        st.stop()
    return CompareAddress(*ids)


def tell_twin(mirror: Mirror, address: CompareAddress) -> None:
    """Say of a passing twin that it is one; where there is none to stand on the right, so much, and the page ends."""
    twin = ask(mirror.passed_twin, address.left)
    if not address.right:
        empty("There is no passing execution to compare with", _way_to_a_twin(ask(mirror.execution, address.left)))
        bootstrap.link_to("failure", "Open the failure", failure_id=address.left)
        st.stop()
    if twin is None or address.right != twin.trace_id:
        return
    row = ask(mirror.execution, address.left)
    same = row is not None and row.input_key is not None and row.input_key == twin.input_key
    words = "the same input" if same else "another input: none passed on this one"
    st.caption(f"On the right is the newest passing execution of the same subject, on {words}.")


def records_of(store: TraceStore, address: CompareAddress) -> tuple[TraceRecord, TraceRecord]:
    """Both records; where one cannot be had, a sentence and the end of the page."""
    left, right = _record(store, address.left, "left"), _record(store, address.right, "right")
    if left.trace_id == right.trace_id:
        st.info("Both sides are the same execution.", icon=":material/info:")
    elif left.subject.name != right.subject.name:
        st.info("These are executions of different subjects.", icon=":material/info:")
    return left, right


def other_executions(mirror: Mirror, left: TraceRecord, right: TraceRecord) -> None:
    """A choice of newer and older executions of the subject for the right side."""
    rows = ask(mirror.executions, subject=left.subject.name, limit=_OTHERS).rows
    offered = {row.trace_id: row for row in rows if row.trace_id not in (left.trace_id, right.trace_id)}
    if not offered:
        return
    with st.popover("Compare with another execution", icon=":material/history:"):
        st.selectbox(
            "Executions of the same subject, newest first",
            list(offered),
            index=None,
            format_func=lambda trace_id: (
                f"{kind_of(offered[trace_id].failure_type).title}, {ago(offered[trace_id].ended_at)} ago"
            ),
            key="compare-other",
            on_change=_take_other,
        )


def _way_to_a_twin(row: ExecutionRow | None) -> str:
    """What `watch` saw belongs to no run, and no run of it can be started."""
    if row is not None and row.run_id is None:
        return (
            "Run the subject on an input that it passes, or paste another id on the right. "
            "Of a watched function, calls that pass are kept only with `sample=`."
        )
    return "Run the subject on an input that it passes, or paste another id on the right."


def _record(store: TraceStore, any_id: str, side: str) -> TraceRecord:
    try:
        found = store.lookup(any_id, _PATIENCE_S)
    except NoAnswer as error:
        wait_for_answer(str(error))
    except FailtraceError as error:
        stop_with("A record cannot be read.", str(error))
    if found is None:
        row = ask(store.mirror.execution, any_id)
        if row is None:
            empty(f"No execution has the id on the {side}", "Paste another one above.", ":material/search_off:")
        else:
            empty(
                f"Of the execution on the {side} only its summary was kept",
                "Of passed executions the newest of each subject keep their records; choose a newer one.",
            )
        bootstrap.link_to("failures", "All failures")
        st.stop()
    return found.record


def _follow_address(mirror: Mirror) -> None:
    """The boxes show what the address says, and the twin that it leaves open.

    The twin itself stays out of the address: Back would lead to the address without it, and so here again.
    """
    said = CompareAddress.read(st.query_params)
    left, right = said.left or first_said(st.query_params, "left"), said.right or first_said(st.query_params, "right")
    if said.left and not right:
        twin = ask(mirror.passed_twin, said.left)
        right = twin.trace_id if twin else ""
    st.session_state["compare-left"], st.session_state["compare-right"] = left, right


def _box(column: st.delta_generator.DeltaGenerator, side: str) -> str:
    text = column.text_input(
        side.capitalize(),
        key=f"compare-{side}",
        placeholder="failure_id or trace_id",
        max_chars=4096,
        on_change=_publish,
        args=(side,),
    )
    return (text or "").strip()


def _publish(side: str) -> None:
    """Into the address: the id alone, or what was typed in its place, so that the page can say that it is none."""
    text = (st.session_state[f"compare-{side}"] or "").strip()
    _say(side, FailureAddress.parse(text).failure_id or text[:_LONGEST])


def _swap() -> None:
    left, right = st.session_state["compare-left"], st.session_state["compare-right"]
    _say("left", right)
    _say("right", left)


def _take_other() -> None:
    # The left side stays as it is; the choice is made anew each time.
    _say("right", st.session_state["compare-other"])
    st.session_state["compare-other"] = None


def _say(side: str, text: str | None) -> None:
    if text:
        st.query_params[side] = text
    else:
        st.query_params.pop(side, None)

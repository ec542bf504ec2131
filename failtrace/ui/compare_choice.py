"""Which two records are compared: what the boxes say, the passing twin where they leave it open, and the others."""

from typing import Final

import streamlit as st

from failtrace.contracts import TraceRecord
from failtrace.errors import FailtraceError, NoAnswer
from failtrace.mirror.mirror import Mirror
from failtrace.storage.trace_store import TraceStore
from failtrace.ui import bootstrap
from failtrace.ui.kinds import kind_of
from failtrace.ui.notices import ask, empty, stop_with, wait_for_answer
from failtrace.ui.url_state import CompareAddress, FailureAddress
from failtrace.wording import ago

_PATIENCE_S: Final = 0.5
_OTHERS: Final = 20


def boxes(said: CompareAddress) -> CompareAddress:
    """Two boxes that take any id, and a button that turns them round; the address follows."""
    _follow_address(said)
    one, turn, other = st.columns([10, 2, 10], vertical_alignment="center")
    left = _box(one, "Left", "left")
    turn.button("Swap", icon=":material/swap_horiz:", on_click=_swap, width="stretch", disabled=not said.right)
    right = _box(other, "Right", "right")
    address = CompareAddress(left, right)
    if address != said:
        _publish(address)
    return address


def twin_of(mirror: Mirror, address: CompareAddress) -> CompareAddress:
    """With one id alone, a passing execution of the same subject stands beside it."""
    if not address.left or address.right:
        return address
    twin = ask(mirror.passed_twin, address.left)
    if twin is None:
        empty(
            "There is no passing execution to compare with",
            "Run the subject on an input that it passes, or paste another id on the right.",
        )
        bootstrap.link_to("failure", "Open the failure", failure_id=address.left)
        st.stop()
    row = ask(mirror.execution, address.left)
    same = row is not None and row.input_key is not None and row.input_key == twin.input_key
    words = "the same input" if same else "another input: none passed on this one"
    st.caption(f"On the right is the newest passing execution of the same subject, on {words}.")
    return CompareAddress(address.left, twin.trace_id)


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
        chosen = st.selectbox(
            "Executions of the same subject, newest first",
            list(offered),
            index=None,
            format_func=lambda trace_id: (
                f"{kind_of(offered[trace_id].failure_type).title}, {ago(offered[trace_id].ended_at)} ago"
            ),
            key="compare-other",
        )
        if chosen:
            _publish(CompareAddress(left.failure_id or left.trace_id, chosen))
            st.rerun()


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


def _box(column: st.delta_generator.DeltaGenerator, label: str, key: str) -> str:
    text = column.text_input(
        label, key=f"compare-{key}", placeholder="failure_id or trace_id", label_visibility="collapsed", max_chars=4096
    )
    found = FailureAddress.parse(text or "").failure_id
    if (text or "").strip() and not found:
        column.caption("This is no id: one has 32 hex digits or looks like 0193f6c2-7a1b-7c3d-8e4f-0123456789ab.")
    return found


def _follow_address(said: CompareAddress) -> None:
    """The boxes show what the address says: on arrival, and when it changed without them (Back, a link)."""
    if st.session_state.get("compare-said") != said:
        st.session_state["compare-said"] = said
        st.session_state["compare-left"], st.session_state["compare-right"] = said.left, said.right
        st.session_state.pop("compare-other", None)


def _publish(address: CompareAddress) -> None:
    st.session_state["compare-said"] = address
    for name, value in (("left", address.left), ("right", address.right)):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def _swap() -> None:
    said = CompareAddress.read(st.query_params)
    st.query_params["left"], st.query_params["right"] = said.right, said.left

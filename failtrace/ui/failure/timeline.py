"""The steps of a record on one time axis, and the detail of the chosen one: by a click, a key or the address."""

from typing import Any, Final

import streamlit as st

from failtrace.contracts import TraceRecord
from failtrace.ui.components import component
from failtrace.ui.failure.step_view import show_step, step_head
from failtrace.ui.failure.steps import first_chosen, timeline_data
from failtrace.ui.url_state import FailureAddress

_timeline = component(
    "timeline",
    """<div class="timeline">
      <div class="bar-row">
        <input class="find" type="search" placeholder="Find a step ( / )" aria-label="Find steps by name">
        <select class="kinds" aria-label="Kind of step"></select>
        <select class="statuses" aria-label="Status of step"></select>
        <button class="jump" type="button" title="Choose the failing step (f)">Failing step</button>
        <button class="whole" type="button" title="Show the whole execution (Escape)" hidden>Whole execution</button>
        <span class="told" role="status"></span>
      </div>
      <div class="axis-row" aria-hidden="true"><b>Step</b><i class="axis"></i><i></i><i></i></div>
      <div class="pane" role="tree" tabindex="0" aria-label="Steps of the execution">
        <div class="canvas" role="presentation"></div>
      </div>
    </div>""",
)
_ASKED: Final = "timeline-asked"
_SHARES: Final = [11, 9]
"""Of the page's width: the timeline, and the head of the chosen step beside it."""


@st.fragment
def show_steps(record: TraceRecord) -> None:
    """Draw them; choosing a step redraws nothing else of the page."""
    known = _known(record.trace_id, record)
    data = dict(_data(record.trace_id, record))
    asked = FailureAddress.read(st.query_params).step
    # The address may go on saying what it said at first, whatever was chosen since: only news in it counts.
    is_news = asked in known and st.session_state.get(_ASKED) != (record.trace_id, asked)
    if is_news:
        st.session_state[_ASKED] = (record.trace_id, asked)
    data["selected"] = asked if asked in known else first_chosen(record)
    steps, detail = st.columns(_SHARES, gap="medium")
    with steps:
        clicked = _timeline(key=f"timeline-{record.trace_id}", data=data, on_selected_change=_nothing).get("selected")
    chosen = data["selected"] if is_news or not isinstance(clicked, str) or clicked not in known else clicked
    with detail:
        if asked and asked not in known:
            st.caption("The address names a step that is not in this record; this is the one to begin with.")
        if chosen in known:
            step_head(record, record.steps[known[chosen]])
    if chosen in known:
        show_step(record, record.steps[known[chosen]])


@st.cache_data(max_entries=8, show_spinner=False)
def _data(trace_id: str, _record: TraceRecord) -> dict[str, Any]:
    """Kept, since every choice of a step asks for the same again: of 30,000 steps that is most of the answer's time."""
    del trace_id
    return timeline_data(_record)


@st.cache_data(max_entries=8, show_spinner=False)
def _known(trace_id: str, _record: TraceRecord) -> dict[str, int]:
    """Where each step stands in the record."""
    del trace_id
    return {step.step_id: at for at, step in enumerate(_record.steps)}


def _nothing() -> None:
    """Streamlit hands a value back only for a name that has a callback."""

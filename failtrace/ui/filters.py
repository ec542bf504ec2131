"""The controls that narrow a page. Each is bound to the address, so that a link shows what its sender saw."""

from collections.abc import Sequence

import streamlit as st

from failtrace.contracts import FailureType
from failtrace.ui.kinds import KINDS
from failtrace.ui.url_state import FailuresAddress, RunAddress, TimeRange


def time_range(default: TimeRange) -> TimeRange:
    """`?range=…`"""
    options = list(TimeRange)
    chosen = st.selectbox(
        "Time range",
        [str(option) for option in options],
        index=options.index(default),
        format_func=lambda option: TimeRange(option).label,
        key="range",
        bind="query-params",
        label_visibility="collapsed",
    )
    return TimeRange(chosen)


def failure_filters(subjects: Sequence[str]) -> FailuresAddress:
    """Search, type, subject and time range; the run comes by address only, and a button drops it."""
    words, types, names, span = st.columns([4, 3, 3, 2], vertical_alignment="bottom")
    with words:
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Words in messages, inputs, outputs…",
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=500,
        )
    with types:
        chosen_types = st.multiselect(
            "Type",
            [str(item) for item in KINDS],
            format_func=lambda item: KINDS[FailureType(item)].title,
            key="type",
            bind="query-params",
            placeholder="All types",
            label_visibility="collapsed",
        )
    with names:
        chosen_subjects = st.multiselect(
            "Subject",
            list(subjects),
            key="subject",
            bind="query-params",
            placeholder="All subjects",
            label_visibility="collapsed",
        )
    with span:
        chosen_range = time_range(TimeRange.ALL)
    return FailuresAddress(
        text=text or "",
        failure_types=tuple(FailureType(item) for item in chosen_types),
        subjects=tuple(chosen_subjects),
        range=chosen_range,
        run=_run_filter(),
    )


def _run_filter() -> RunAddress:
    address = RunAddress.read(st.query_params)
    if address.run_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Only run {address.run_id}")
            st.button("Show all runs", type="tertiary", icon=":material/close:", on_click=_forget_run)
    return address


def _forget_run() -> None:
    st.query_params.pop("run_id", None)

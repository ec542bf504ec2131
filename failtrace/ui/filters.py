"""The controls that narrow a page. Each is bound to the address, so that a link shows what its sender saw."""

from collections.abc import Sequence

import streamlit as st

from failtrace.ui.kinds import KINDS
from failtrace.ui.url_state import FailuresAddress, RunAddress, TimeRange


def heading_with_range(title: str, default: TimeRange) -> TimeRange:
    """The page's title, ours, and how far back it looks: `?range=…`"""
    heading, control = st.columns([3, 2], vertical_alignment="bottom")
    heading.title(title, anchor=False)
    with control.container(horizontal_alignment="right"):
        chosen = st.segmented_control(
            "Time range",
            [str(option) for option in TimeRange],
            default=str(default),
            required=True,
            key="range",
            bind="query-params",
            label_visibility="collapsed",
        )
    return TimeRange(chosen or default)


def failure_filters(subjects: Sequence[str], span: TimeRange) -> FailuresAddress:
    """Search, type and subject, beside the time range; the run comes by address only, and a button drops it."""
    words, types, names = st.columns([4, 3, 3])
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
    _seed("types", "type")
    with types:
        chosen_types = st.multiselect(
            "Type",
            list(KINDS),
            format_func=lambda item: KINDS[item].title,
            key="types",
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
    _publish("types", "type")
    return FailuresAddress(
        text=text or "",
        failure_types=tuple(chosen_types),
        subjects=tuple(chosen_subjects),
        range=span,
        run=_run_filter(),
    )


def _seed(key: str, name: str) -> None:
    """Give the widget what the address says: on arrival, and when the address changed without it (Back, a link).

    `bind="query-params"` would write the labels into the address, and the failure types are words of the contract.
    """
    said = st.query_params.get_all(name)
    if key not in st.session_state or st.session_state.get(f"{key}-said") != said:
        st.session_state[key] = [item for item in KINDS if item in said]


def _publish(key: str, name: str) -> None:
    values = [str(item) for item in st.session_state[key]]
    st.session_state[f"{key}-said"] = values
    if values != st.query_params.get_all(name):
        st.query_params[name] = values


def _run_filter() -> RunAddress:
    address = RunAddress.read(st.query_params)
    if address.run_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Only run {address.run_id}")
            st.button("Show all runs", type="tertiary", icon=":material/close:", on_click=_forget_run)
    return address


def _forget_run() -> None:
    st.query_params.pop("run_id", None)

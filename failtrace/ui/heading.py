"""The head of a page: its title, and the filters that every part of it obeys. Each stands in the address."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.ui.bound import publish, seed
from failtrace.ui.url_state import TimeRange

_SUBJECTS_WIDTH: Final = 340
"""Pixels: two names side by side."""
_MOST_SUBJECTS: Final = 20
"""Each link on the page names them all."""
_LEFT_OUT: Final = {
    "subject": f"Of the subjects in the link, those that never ran here or are past {_MOST_SUBJECTS} are left out.",
    "range": "The link names a time range that there is not; this is the usual one.",
}


def heading_with_range(title: str, default: TimeRange) -> TimeRange:
    """The page's title, ours, and how far back it looks: `?range=…`"""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        return _range(default)


def heading_with_filters(title: str, default: TimeRange, subjects: Sequence[str]) -> tuple[TimeRange, tuple[str, ...]]:
    """As `heading_with_range`, and the subjects to count, all where none is chosen: `?subject=…&subject=…`"""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="bottom", width="content", gap="small"):
            _say_left_out("subject", subjects, most=_MOST_SUBJECTS)
            said = [name for name in dict.fromkeys(st.query_params.get_all("subject")) if name in subjects]
            seed("subject", said[:_MOST_SUBJECTS])
            st.multiselect(
                "Subjects",
                list(subjects),
                key="subject",
                placeholder="All subjects",
                max_selections=_MOST_SUBJECTS,
                label_visibility="collapsed",
                width=_SUBJECTS_WIDTH,
            )
            chosen = list(st.session_state["subject"])
            publish("subject", "subject", chosen, chosen)
            return _range(default), tuple(chosen)


def _range(default: TimeRange) -> TimeRange:
    options = [str(option) for option in TimeRange]
    _say_left_out("range", options, most=1)
    # One widget for each default: a page that looks back further must not show what another's reader chose.
    key = f"range-{default}"
    seed(key, next((option for option in st.query_params.get_all("range") if option in options), str(default)))
    st.segmented_control("Time range", options, required=True, key=key, label_visibility="collapsed", width="content")
    chosen = st.session_state[key] or str(default)
    publish(key, "range", chosen, [] if chosen == default else [chosen])
    return TimeRange(chosen)


def _say_left_out(name: str, known: Sequence[str], *, most: int) -> None:
    """What is no option, or too much, goes from the address; who followed that link should know."""
    said = [value for value in st.query_params.get_all(name) if value]
    good = [value for value in said if value in known][:most]
    if good == said:
        return
    st.toast(_LEFT_OUT[name], icon=":material/link_off:")
    if good:
        st.query_params[name] = good
    else:
        st.query_params.pop(name, None)

"""The head of a page: its title, and the filters that every part of it obeys. Each is bound to the address."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

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
            chosen = st.multiselect(
                "Subjects",
                list(subjects),
                key="subject",
                bind="query-params",
                placeholder="All subjects",
                max_selections=_MOST_SUBJECTS,
                label_visibility="collapsed",
                width=_SUBJECTS_WIDTH,
            )
            return _range(default), tuple(chosen)


def _range(default: TimeRange) -> TimeRange:
    options = [str(option) for option in TimeRange]
    _say_left_out("range", options, most=1)
    chosen = st.segmented_control(
        "Time range",
        options,
        default=str(default),
        required=True,
        key="range",
        bind="query-params",
        label_visibility="collapsed",
        width="content",
    )
    return TimeRange(chosen or default)


def _say_left_out(name: str, known: Sequence[str], *, most: int) -> None:
    """Streamlit drops from the address what is no option, or too much; who followed that link should know."""
    said = [value for value in st.query_params.get_all(name) if value]
    if len(said) > most or not set(known).issuperset(said):
        st.toast(_LEFT_OUT[name], icon=":material/link_off:")

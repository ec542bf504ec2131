"""The head of a page: its title, and the filters that every part of it obeys. Each stands in the address."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.ui.bound import publish, seed
from failtrace.ui.notices import tell_ignored
from failtrace.ui.url_state import TimeRange, misread

_SUBJECTS_WIDTH: Final = 340
"""Pixels: two names side by side."""
_MOST_SUBJECTS: Final = 20
"""Each link on the page names them all."""


def heading_with_range(title: str, default: TimeRange) -> TimeRange:
    """The page's title, ours, and how far back it looks: `?range=…`"""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        return _range(default)


def heading_with_filters(title: str, default: TimeRange, subjects: Sequence[str]) -> tuple[TimeRange, tuple[str, ...]]:
    """As `heading_with_range`, and the subjects to count, all where none is chosen: `?subject=…&subject=…`"""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            named = list(dict.fromkeys(st.query_params.get_all("subject")))
            said = [name for name in named if name in subjects][:_MOST_SUBJECTS]
            seed("subject", said)
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
            span = _range(default)
    tell_ignored(misread(st.query_params, {"subject": chosen.__contains__, "range": str(span).__eq__}))
    return span, tuple(chosen)


def _range(default: TimeRange) -> TimeRange:
    options = [str(option) for option in TimeRange]
    # One widget for each default: a page that looks back further must not show what another's reader chose.
    key = f"range-{default}"
    seed(key, next((option for option in st.query_params.get_all("range") if option in options), str(default)))
    st.segmented_control("Time range", options, required=True, key=key, label_visibility="collapsed", width="content")
    chosen = st.session_state[key] or str(default)
    publish(key, "range", chosen, [] if chosen == default else [chosen])
    return TimeRange(chosen)

"""Past runs, newest first, a page at a time."""

from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.ui.notices import ask
from failtrace.ui.run_list import run_list

_AT_ONCE: Final = 20
_TRAIL: Final = "past-runs-trail"


def show_past_runs(mirror: Mirror) -> None:
    """The list, and the ways to newer and older ones."""
    st.subheader("Runs", anchor=False)
    trail: tuple[str, ...] = st.session_state.get(_TRAIL, ())
    found = ask(mirror.runs, limit=_AT_ONCE, after=trail[-1] if trail else None)
    if not found.rows:
        st.caption("Nothing has run yet.")
        return
    run_list(found.rows, key="runs")
    first = len(trail) * _AT_ONCE + 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{first:,}–{first + len(found.rows) - 1:,} of {found.total:,}")
        if trail or found.after:
            with st.container(horizontal=True, width="content"):
                _button("Newer", trail[:-1], ":material/chevron_left:", disabled=not trail)
                older = (*trail, found.after or "")
                _button("Older", older, ":material/chevron_right:", disabled=found.after is None)


def _button(label: str, trail: tuple[str, ...], icon: str, *, disabled: bool) -> None:
    st.button(label, icon=icon, disabled=disabled, key=f"runs-{label}", on_click=_walk, args=(trail,))


def _walk(trail: tuple[str, ...]) -> None:
    st.session_state[_TRAIL] = trail

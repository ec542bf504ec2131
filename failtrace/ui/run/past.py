"""All runs, newest first, a page at a time."""

from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.ui.notices import ask
from failtrace.ui.run.lists import run_list
from failtrace.ui.trail import Trail

_AT_ONCE: Final = 20


def show_past_runs(mirror: Mirror) -> None:
    """The list, and the ways to newer and older ones."""
    st.subheader("Past runs", anchor=False)
    trail = Trail("runs", _AT_ONCE)
    found = ask(mirror.runs, limit=_AT_ONCE, after=trail.after)
    if not found.total:
        st.caption("Nothing has run yet.")
        return
    run_list(found.rows, key="runs")
    trail.controls(found)

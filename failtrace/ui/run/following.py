"""Which runs go just now, and a page that notices: a run that begins or ends anywhere shows in every open tab."""

from typing import Final

import streamlit as st

from failtrace.errors import FailtraceError
from failtrace.mirror.mirror import Mirror
from failtrace.services import is_alive
from failtrace.ui.notices import ask
from failtrace.ui.run.launch import underway
from failtrace.ui.url_state import RunAddress

EVERY_S: Final = 2
"""Seconds between two looks."""
_LOOKED_AT: Final = 50
_WATCHED: Final = "run-watched"


def follow_runs(mirror: Mirror) -> tuple[str, ...]:
    """The ids of the runs that go now, newest first; when they become others, the page is run again.

    A run whose process is gone is filed as interrupted by this.
    """
    drawn = ask(_going, mirror)
    _look(mirror, drawn)
    return drawn


def in_sight(going: tuple[str, ...]) -> str:
    """The run to show: that of the address, else one that goes, else the one that was watched and has just ended."""
    said = RunAddress.read(st.query_params).run_id
    watched = st.session_state.pop(_WATCHED, "")
    if said:
        return said
    if going:
        st.session_state[_WATCHED] = going[0]
        return going[0]
    if watched:
        st.query_params["run_id"] = watched
    return str(watched)


@st.fragment(run_every=EVERY_S)
def _look(mirror: Mirror, drawn: tuple[str, ...]) -> None:
    try:
        going = _going(mirror)
    except FailtraceError:
        # What the page shows is as it was; its own next question says what is wrong.
        return
    if going != drawn:
        st.rerun()


def _going(mirror: Mirror) -> tuple[str, ...]:
    """Those filed as running, and before them those that this server has just started. Raises StoreError."""
    mirror.mark_interrupted(is_alive)
    begun = underway()
    filed = [row.run_id for row in mirror.runs(limit=_LOOKED_AT).rows if row.state == "running"]
    return (*[run_id for run_id in begun if mirror.run(run_id) is None], *filed)

"""The form that asks what to run."""

from collections.abc import Sequence

import streamlit as st

from failtrace.subjects.subject import Subject
from failtrace.ui.launch import RunRequest

_OWN = "Their own examples"
_PASTED = "JSON Lines"
_PRESELECTED = 40
"""Up to so many subjects, all are chosen at first: one click runs everything."""
_MOST_WORKERS = 64


def run_form(subjects: Sequence[Subject], *, busy: bool) -> RunRequest | None:
    """Draw it; give the request when the button was pressed. Busy: the run this reader started is under way."""
    known = [subject.name for subject in subjects]
    with st.container(border=True):
        names = st.multiselect(
            "Subjects",
            known,
            default=known if len(known) <= _PRESELECTED else None,
            key="run-subjects",
            placeholder="Choose subjects",
        )
        kind = st.segmented_control("Inputs", [_OWN, _PASTED], default=_OWN, required=True, key="run-inputs")
        pasted = None
        if kind == _PASTED:
            pasted = st.text_area(
                "One JSON value a line", key="run-pasted", height=140, placeholder='{"question": "…"}'
            )
        timeout, workers = _limits()
        pressed = st.button("Run", type="primary", icon=":material/play_arrow:", key="run-start", disabled=busy)
    if not pressed or busy:
        return None
    return RunRequest(tuple(names), pasted if kind == _PASTED else None, timeout, workers)


def _limits() -> tuple[float | None, int | None]:
    first, second, _ = st.columns([1, 1, 3])
    timeout = first.number_input(
        "Timeout, seconds",
        min_value=0.1,
        value=None,
        step=1.0,
        placeholder="as registered",
        key="run-timeout",
    )
    workers = second.number_input(
        "At once",
        min_value=1,
        max_value=_MOST_WORKERS,
        value=None,
        step=1,
        placeholder="automatic",
        key="run-workers",
    )
    return timeout, workers

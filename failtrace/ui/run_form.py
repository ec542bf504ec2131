"""The form that asks what to run, on what, and how."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from failtrace.cli.subjects import contract_name
from failtrace.mirror.views import ExecutionRow
from failtrace.storage.trace_store import StoreKind
from failtrace.subjects.subject import Subject
from failtrace.ui.inputs_preview import FIRST, Preview, preview
from failtrace.ui.kinds import kind_of
from failtrace.ui.launch import LONGEST_INPUTS, RunRequest
from failtrace.ui.values import show_text
from failtrace.ui.wording import duration, plural, size
from failtrace.wording import ago

_OWN: Final = "Their own examples"
_PASTED: Final = "Pasted JSON"
_FILE: Final = "A file"
_PRESELECTED: Final = 40
"""Up to so many subjects, all are chosen at first: one click runs everything."""
_MOST_WORKERS: Final = 64
_STORES: Final[dict[StoreKind, str]] = {"auto": "As set up", "memory": "This machine only", "cosmos": "Cosmos DB"}
_TABLE_HEIGHT: Final = 260


def run_form(
    subjects: Sequence[Subject], last: dict[str, ExecutionRow], *, busy: bool, has_cosmos: bool
) -> RunRequest | None:
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
        _show_subjects([subject for subject in subjects if subject.name in names] or subjects, last)
        given, wrong = _inputs()
        timeout, workers, store = _limits(has_cosmos=has_cosmos)
        why = "Choose at least one subject." if not names else wrong
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button(
                "Run",
                type="primary",
                icon=":material/play_arrow:",
                key="run-start",
                disabled=busy or bool(why),
            )
            if busy:
                st.caption("The run that you started is under way.")
            elif why:
                st.caption(why)
    if not pressed or busy or why:
        return None
    return RunRequest(tuple(names), given.lines if given else None, timeout, workers, store)


def _show_subjects(subjects: Sequence[Subject], last: dict[str, ExecutionRow]) -> None:
    with st.expander(f"What they are ({len(subjects):,})"):
        table = pd.DataFrame([_told(subject, last.get(subject.name)) for subject in subjects])
        height = min(_TABLE_HEIGHT, 36 * (len(subjects) + 1) + 3)
        st.dataframe(table, hide_index=True, height=height, alt="The registered subjects")


def _told(subject: Subject, result: ExecutionRow | None) -> dict[str, str]:
    return {
        "Subject": subject.name,
        "What it does": subject.description,
        "Contract": contract_name(subject.output_model) or "–",
        "Evidence": "yes" if subject.evidence is not None else "–",
        "Timeout": duration(subject.timeout * 1000) if subject.timeout else "as set up",
        "Last result": f"{kind_of(result.failure_type).title}, {ago(result.ended_at)} ago" if result else "never ran",
    }


def _inputs() -> tuple[Preview | None, str]:
    """What to run on, None for the subjects' own examples, and why it cannot be run on that."""
    kind = st.segmented_control("Inputs", [_OWN, _PASTED, _FILE], default=_OWN, required=True, key="run-inputs")
    if kind == _OWN:
        return None, ""
    text = _pasted() if kind == _PASTED else _uploaded()
    if text is None:
        return None, "Paste the inputs above." if kind == _PASTED else "Choose a file above."
    if len(text) > LONGEST_INPUTS:
        return None, f"More than {size(LONGEST_INPUTS)}: put it into a file for `failtrace run --inputs`."
    found = preview(text)
    _show_preview(found)
    return found, "" if found.count else "There is no input that could be read."


def _pasted() -> str | None:
    text = st.text_area(
        "One JSON value a line, or one array with an input for each item",
        key="run-pasted",
        height=140,
        placeholder='{"question": "…"}',
    )
    return text if text and text.strip() else None


def _uploaded() -> str | None:
    file = st.file_uploader("JSON Lines, up to 5 MB", type=["jsonl", "json", "txt", "ndjson"], key="run-file")
    return file.getvalue().decode("utf-8", "replace") if file else None


def _show_preview(found: Preview) -> None:
    bad = f", {plural(found.bad, 'bad line')} left out" if found.bad else ""
    st.caption(f"{plural(found.count, 'input')}{bad}")
    for problem in found.problems:
        st.text(problem)
    if found.bad > len(found.problems):
        st.caption(f"… and {plural(found.bad - len(found.problems), 'more bad line')}.")
    if found.first:
        with st.expander(f"The first {min(FIRST, found.count)}"):
            show_text("\n".join(found.first), "inputs")


def _limits(*, has_cosmos: bool) -> tuple[float | None, int | None, StoreKind]:
    first, second, third = st.columns(3)
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
    stores = [kind for kind in _STORES if has_cosmos or kind != "cosmos"]
    store = third.selectbox(
        "Store",
        stores,
        format_func=lambda kind: _STORES[kind],
        key="run-store",
        help=None if has_cosmos else "For Cosmos DB, set COSMOS_ENDPOINT and start the dashboard again.",
    )
    return timeout, workers, store or "auto"

"""The form that asks what to run, on what, and how, and starts it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.errors import FailtraceError
from failtrace.runner import planned_executions
from failtrace.services import Services
from failtrace.storage.trace_store import StoreKind
from failtrace.subjects.subject import MAX_TIMEOUT_S, Subject
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.run.inputs import GivenInputs, ask_for_inputs
from failtrace.ui.run.launch import start
from failtrace.ui.run.request import STORES, RunRequest
from failtrace.ui.run.subject_table import choose_subjects
from failtrace.ui.visitor import visitor
from failtrace.ui.wording import plural

_MOST_WORKERS: Final = 64
_STORE_NAMES: Final[dict[StoreKind, str]] = {"auto": "Automatic", "memory": "This machine only", "cosmos": "Cosmos DB"}
_STARTS: Final = "run-starts"


def run_form(services: Services, *, folded: bool) -> None:
    """Draw it, folded where a run is in sight; start a run where the button was pressed."""
    if not visitor().may_run:
        st.caption("You may look at runs. Who may start them stands in FAILTRACE_RUNNERS.")
        return
    subjects = services.registry.subjects()
    if not subjects:
        empty("No subjects are registered", "Name your modules in FAILTRACE_SUBJECTS and start the dashboard again.")
        return
    last = ask(services.store.mirror.last_results, [subject.name for subject in subjects])
    with st.expander("New run", icon=":material/play_circle:", expanded=not folded):
        names = choose_subjects(subjects, last, services.settings.timeout_s)
        inputs = ask_for_inputs()
        request = _request(names, inputs, has_cosmos=services.settings.cosmos_endpoint is not None)
        refusal = inputs.refusal if names else "Choose at least one subject."
        chosen = [subject for subject in subjects if subject.name in names]
        if _pressed(refusal or _planned(chosen, inputs), disabled=bool(refusal)):
            start_and_show(services, request)


def start_and_show(services: Services, request: RunRequest) -> None:
    """Start it and open its page; where that cannot be, one sentence."""
    # Before the start, and it begins the buttons anew: the second half of a double click finds none of its own.
    st.session_state[_STARTS] = starts() + 1
    known = {subject.name for subject in services.registry.subjects()}
    has_cosmos = services.settings.cosmos_endpoint is not None
    try:
        run_id = start(request, known, services.settings.home, visitor(), has_cosmos=has_cosmos)
    except FailtraceError as error:
        problem("The run was not started.", str(error))
        return
    st.query_params.from_dict({"run_id": run_id})
    st.rerun()


def starts() -> int:
    """How many runs this reader has started: a part of the key of every button that starts one."""
    count: int = st.session_state.get(_STARTS, 0)
    return count


def _pressed(told: str, *, disabled: bool) -> bool:
    """The button, and beside it what it would do, or why it cannot; `told` is ours."""
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"run-start-{starts()}"
        pressed = st.button("Run", type="primary", icon=":material/play_arrow:", key=key, disabled=disabled)
        st.caption(told)
    return pressed and not disabled


def _planned(subjects: Sequence[Subject], inputs: GivenInputs) -> str:
    """`3 subjects on 12 inputs: 36 executions`."""
    named = plural(len(subjects), "subject")
    if inputs.lines is None:
        return f"{named} on their own examples: {plural(planned_executions(subjects, None) or 0, 'execution')}"
    return f"{named} on {plural(inputs.count, 'input')}: {plural(inputs.count * len(subjects), 'execution')}"


def _request(names: tuple[str, ...], inputs: GivenInputs, *, has_cosmos: bool) -> RunRequest:
    first, second, third = st.columns(3)
    timeout = first.number_input(
        "Timeout, seconds",
        min_value=0.001,
        max_value=MAX_TIMEOUT_S,
        value=None,
        step=1.0,
        placeholder="each subject's own",
        key="run-timeout",
        help="An execution that takes longer is ended, and recorded as a timeout.",
    )
    workers = second.number_input(
        "Executions at once",
        min_value=1,
        max_value=_MOST_WORKERS,
        value=None,
        step=1,
        placeholder="2",
        key="run-workers",
        help="How many run side by side, each in a process of its own.",
    )
    store = third.selectbox(
        "Store",
        [kind for kind in STORES if has_cosmos or kind != "cosmos"],
        format_func=lambda kind: _STORE_NAMES[kind],
        key="run-store",
        help="Where failures go beside this machine's mirror. Automatic: Cosmos DB where it is set up, else nowhere.",
    )
    if not has_cosmos:
        third.caption("Cosmos DB can be chosen once COSMOS_ENDPOINT is set.")
    return RunRequest(names, inputs.lines, timeout, workers, store or "auto")

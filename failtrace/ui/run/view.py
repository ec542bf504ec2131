"""One run: how far it is while it goes, and what became of it afterwards."""

from typing import Final

import streamlit as st

from failtrace.errors import FailtraceError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import RunRow
from failtrace.services import Services
from failtrace.ui import bootstrap
from failtrace.ui.components import Fact, header
from failtrace.ui.kinds import KINDS
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.run.comparison import show_comparison
from failtrace.ui.run.ending import show_ending
from failtrace.ui.run.files import RunFiles
from failtrace.ui.run.launch import cancel, underway
from failtrace.ui.run.lists import execution_list, few
from failtrace.ui.run.words import ending, pace, rate, took
from failtrace.ui.trail import Trail
from failtrace.ui.url_state import FailuresAddress, RunAddress, now
from failtrace.ui.visitor import visitor
from failtrace.ui.wording import percent, plural

_EVERY_S: Final = 1.0
_AT_ONCE: Final = 50
_KINDS: Final = {"All": None, "Failed": False, "Passed": True}


def show_run(services: Services, run_id: str) -> None:
    """Draw it; while it goes, look again every second without disturbing the rest of the page."""
    row = ask(services.store.mirror.run, run_id)
    if row is None and run_id not in underway():
        _show_unknown(services, run_id)
    elif row is None or row.state == "running":
        st.fragment(_watch, run_every=_EVERY_S)(services.store.mirror, run_id)
    else:
        _head(row)
        show_ending(services, row)
        show_comparison(services.store.mirror, row)
        _show_executions(services.store.mirror, row)


def _watch(mirror: Mirror, run_id: str) -> None:
    """A run that goes; when it has ended, the page is drawn anew."""
    row = ask(mirror.run, run_id)
    if row is None and run_id in underway():
        with st.container(border=True):
            st.progress(0.0, "The run is about to begin.")
        return
    if row is None or row.state != "running":
        st.rerun()
    _head(row)
    _show_progress(mirror, row)
    found = ask(mirror.executions, run_id=run_id, limit=_AT_ONCE)
    execution_list(found.rows, key=f"run-live-{run_id}")
    if found.total > len(found.rows):
        st.caption(f"The newest {len(found.rows):,} of {found.total:,} executions.")


def _show_unknown(services: Services, run_id: str) -> None:
    if sentences := RunFiles(services.settings.home, run_id).sentences():
        problem("The run did not begin.", "\n".join(sentences))
    else:
        empty("No run has this id", "Choose one of the past runs below.", ":material/search_off:")


def _head(row: RunRow) -> None:
    header(few(row.subjects), _facts(row), key=f"run-{row.run_id}", badge=row.state, text=ending(row))


def _facts(row: RunRow) -> list[Fact]:
    share = f", {percent(row.failed / row.executions)}" if row.failed else ""
    of_run = FailuresAddress(run=RunAddress(row.run_id))
    facts = [
        Fact("Started", row.started_at.isoformat(), "time"),
        Fact("Passed", f"{row.passed:,}"),
        Fact("Failed", f"{row.failed:,}{share}", href=of_run.link if row.failed else ""),
    ]
    if spent := took(row):
        facts[1:1] = [Fact("Took", spent), Fact("Executions per second", rate(row) or "–")]
    for item, kind in KINDS.items():
        if count := row.by_type.get(item):
            href = FailuresAddress(failure_types=(item,), run=of_run.run).link
            facts.append(Fact(kind.label, f"{count:,}", href=href))
    if row.not_run:
        facts.append(Fact("Not run", f"{row.not_run:,}"))
    return [*facts, Fact("Run id", row.run_id, "mono", copy=row.run_id)]


def _show_progress(mirror: Mirror, row: RunRow) -> None:
    bar, stop = st.columns([6, 1], vertical_alignment="bottom")
    bar.progress(min(1.0, row.executions / row.planned) if row.planned else 0.0, pace(row, now()))
    if row.cancel_requested:
        stop.caption("Stopping…")
    if row.cancel_requested or not visitor().may_run:
        return
    key = f"cancel-{row.run_id}"
    stop.button("Cancel", icon=":material/stop_circle:", key=key, on_click=_cancel, args=(mirror, row.run_id))


def _cancel(mirror: Mirror, run_id: str) -> None:
    try:
        cancel(mirror, run_id, visitor())
    except FailtraceError as error:
        problem("The run was not cancelled.", str(error))


def _show_executions(mirror: Mirror, row: RunRow) -> None:
    """What ended, newest first, all of it a page at a time."""
    if not row.executions:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader("Executions", anchor=False, width="content")
        chosen = st.segmented_control(
            "Which executions",
            list(_KINDS),
            default="All",
            required=True,
            key=f"run-shown-{row.run_id}",
            label_visibility="collapsed",
            width="content",
        )
    passed = _KINDS[chosen or "All"]
    trail = Trail("executions", _AT_ONCE, (row.run_id, passed))
    found = ask(mirror.executions, run_id=row.run_id, passed=passed, limit=_AT_ONCE, after=trail.after)
    if not found.total:
        st.caption("None failed." if passed is False else "None passed.")
        return
    execution_list(found.rows, key=f"run-executions-{row.run_id}")
    trail.controls(found)
    if row.failed:
        bootstrap.link_to("failures", f"{plural(row.failed, 'failure')} of this run", run_id=row.run_id)

"""One run: how far it is while it goes, what became of it afterwards, and the ways to stop it or run it again."""

from datetime import UTC, datetime

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import RunRow
from failtrace.services import Services
from failtrace.ui import bootstrap, launch
from failtrace.ui.components import Fact, header
from failtrace.ui.kinds import KINDS
from failtrace.ui.launch import is_underway, log_tail
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.run_compare import show_comparison
from failtrace.ui.run_list import execution_list, took
from failtrace.ui.values import show_text
from failtrace.ui.wording import duration, percent, plural

_REFRESH_S = 1.0
_NEWEST = 20
_ENDINGS = {
    "finished": "",
    "cancelled": "Cancelled: executions that had begun were ended and recorded.",
    "interrupted": "The process of this run is gone; what it had recorded is below.",
}


def show_run(services: Services, run_id: str) -> None:
    """Draw it; while it runs, look again every second without disturbing the rest of the page."""
    row = ask(services.store.mirror.run, run_id)
    running = row.state == "running" if row else is_underway(run_id)
    st.fragment(_draw, run_every=_REFRESH_S if running else None)(services, run_id, running)
    if row and not running:
        _show_afterwards(services, row)


def _draw(services: Services, run_id: str, was_running: bool) -> None:
    row = ask(services.store.mirror.run, run_id)
    if row is None:
        _show_unknown(services, run_id)
        return
    if was_running and row.state != "running":
        st.rerun()
    header(_title(row), _facts(row), key=f"run-{run_id}", badge=row.state, text=_ENDINGS.get(row.state, ""))
    if row.state == "running":
        _show_progress(services, row)
    if row.state == "finished" and row.passed and not row.failed:
        empty("Everything passed", "No execution of this run failed.", ":material/check_circle:")
    _show_executions(services, row)


def _show_unknown(services: Services, run_id: str) -> None:
    printed = log_tail(services.settings.home, run_id)
    sentences = launch.sentences_of(printed)
    if is_underway(run_id):
        st.caption("Waiting for the run to begin.")
    elif sentences:
        problem("The run did not begin.", "\n".join(sentences))
    else:
        empty("No run has this id", "Choose one of the past runs below.", ":material/search_off:")


def _show_afterwards(services: Services, row: RunRow) -> None:
    printed = log_tail(services.settings.home, row.run_id)
    if sentences := launch.sentences_of(printed):
        with st.expander(f"What the run said ({len(sentences):,})", expanded=not row.executions):
            show_text("\n".join(sentences), f"log-{row.run_id}")
    request = launch.request_of(services.settings.home, row.run_id)
    known = {subject.name for subject in services.registry.subjects()}
    again = request or launch.RunRequest(row.subjects)
    gone = sorted(set(again.subjects) - known)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Run again", icon=":material/replay:", key=f"again-{row.run_id}", disabled=bool(gone), type="secondary"
        )
        if gone:
            st.caption("A subject of this run is not registered any more.")
        elif request is None:
            st.caption("On the subjects' own examples: the run was not started here.")
    if pressed:
        launch.start_and_show(again, known, services.settings.home)
    show_comparison(services.store.mirror, row)


def _title(row: RunRow) -> str:
    planned = f" of {row.planned:,}" if row.planned is not None and row.planned != row.executions else ""
    return f"{row.executions:,}{planned} {'execution' if row.executions == 1 else 'executions'}"


def _facts(row: RunRow) -> list[Fact]:
    rate = f", {percent(row.failed / row.executions)}" if row.executions else ""
    facts = [
        Fact("Started", row.started_at.isoformat(), "time"),
        Fact("Passed", f"{row.passed:,}"),
        Fact("Failed", f"{row.failed:,}{rate}"),
    ]
    if row.ended_at:
        facts.insert(1, Fact("Took", took(row)))
    facts += [Fact(kind.label, f"{row.by_type[item]:,}") for item, kind in KINDS.items() if row.by_type.get(item)]
    if row.not_run:
        facts.append(Fact("Not run", f"{row.not_run:,}"))
    if row.bad_lines:
        facts.append(Fact("Bad lines skipped", f"{row.bad_lines:,}"))
    facts.append(Fact("Run id", row.run_id, "mono", copy=row.run_id))
    return facts


def _show_progress(services: Services, row: RunRow) -> None:
    bar, stop = st.columns([6, 1], vertical_alignment="center")
    done = min(1.0, row.executions / row.planned) if row.planned else 0.0
    bar.progress(done, _pace(row))
    if row.cancel_requested:
        stop.caption("Stopping…")
    else:
        stop.button(
            "Cancel",
            icon=":material/stop_circle:",
            key=f"cancel-{row.run_id}",
            on_click=_cancel,
            args=(services.store.mirror, row.run_id),
        )


def _cancel(mirror: Mirror, run_id: str) -> None:
    ask(mirror.request_cancel, run_id)


def _pace(row: RunRow) -> str:
    """`12 of 40 ended · 3.1 a second · 9 s left`."""
    seconds = max(0.001, (datetime.now(UTC) - row.started_at).total_seconds())
    rate = row.executions / seconds
    words = [
        f"{row.executions:,} of {row.planned:,} ended"
        if row.planned
        else f"{plural(row.executions, 'execution')} ended"
    ]
    if row.executions:
        words.append(f"{rate:.1f} a second")
        if row.planned and row.planned > row.executions:
            words.append(f"{duration((row.planned - row.executions) / rate * 1000)} left")
    return " · ".join(words)


def _show_executions(services: Services, row: RunRow) -> None:
    found = ask(services.store.mirror.executions, run_id=row.run_id, limit=_NEWEST)
    if not found.rows:
        return
    execution_list(found.rows, key=f"run-executions-{row.run_id}")
    if found.total > len(found.rows):
        st.caption(f"The newest {len(found.rows):,} of {found.total:,} executions.")
    if row.failed:
        bootstrap.link_to("failures", f"{plural(row.failed, 'failure')} of this run", run_id=row.run_id)

"""One run, live: how far it is, what failed, and the way to stop it."""

import streamlit as st

from failtrace.mirror.views import FailureFilter, RunRow
from failtrace.services import Services
from failtrace.ui import bootstrap
from failtrace.ui.components import Fact, header
from failtrace.ui.kinds import KINDS
from failtrace.ui.launch import is_underway, log_tail
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import ask, empty
from failtrace.ui.values import show_text
from failtrace.ui.wording import duration, plural

_REFRESH_S = 1.0
_NEWEST = 20


def show_run(services: Services, run_id: str) -> None:
    """Draw it; while it runs, look again every second without disturbing the rest of the page."""
    row = ask(services.store.mirror.run, run_id)
    running = row.state == "running" if row else is_underway(run_id)
    st.fragment(_draw, run_every=_REFRESH_S if running else None)(services, run_id, running)


def _draw(services: Services, run_id: str, was_running: bool) -> None:
    row = ask(services.store.mirror.run, run_id)
    if row is None:
        _show_unknown(services, run_id)
        return
    if was_running and row.state != "running":
        st.rerun()
    header(_title(row), _facts(row), key=f"run-{run_id}", badge=row.state)
    if row.state == "running":
        _show_progress(services, row)
    if row.failed:
        _show_failures(services, run_id)
    elif row.state == "finished" and row.passed:
        empty("Everything passed", "No execution of this run failed.", ":material/check_circle:")
    if row.state != "running" and (row.bad_lines or not row.executions):
        with st.expander("What the run printed"):
            show_text(log_tail(services.settings.home, run_id), f"log-{run_id}")


def _show_unknown(services: Services, run_id: str) -> None:
    printed = log_tail(services.settings.home, run_id)
    if printed:
        st.caption("The run has recorded nothing yet. This is what it printed:")
        show_text(printed, f"log-{run_id}")
    elif is_underway(run_id):
        st.caption("Waiting for the run to begin.")
    else:
        empty("No run has this id", "Choose one of the past runs below.", ":material/search_off:")


def _title(row: RunRow) -> str:
    planned = f" of {row.planned:,}" if row.planned is not None else ""
    return f"{row.executions:,}{planned} {'execution' if row.executions == 1 else 'executions'}"


def _facts(row: RunRow) -> list[Fact]:
    facts = [
        Fact("Run id", row.run_id, "mono", copy=row.run_id),
        Fact("Started", row.started_at.isoformat(), "time"),
        Fact("Passed", f"{row.passed:,}"),
        Fact("Failed", f"{row.failed:,}"),
    ]
    if row.ended_at:
        facts.insert(2, Fact("Took", duration((row.ended_at - row.started_at).total_seconds() * 1000)))
    facts += [Fact(kind.label, f"{row.by_type[item]:,}") for item, kind in KINDS.items() if row.by_type.get(item)]
    if row.not_run:
        facts.append(Fact("Not run", f"{row.not_run:,}"))
    if row.bad_lines:
        facts.append(Fact("Bad lines skipped", f"{row.bad_lines:,}"))
    return facts


def _show_progress(services: Services, row: RunRow) -> None:
    bar, stop = st.columns([6, 1], vertical_alignment="center")
    done = min(1.0, row.executions / row.planned) if row.planned else 0.0
    bar.progress(done, f"{plural(row.executions, 'execution')} ended")
    if row.cancel_requested:
        stop.caption("Stopping…")
    elif stop.button("Cancel", icon=":material/stop_circle:", key=f"cancel-{row.run_id}"):
        ask(services.store.mirror.request_cancel, row.run_id)
        st.rerun(scope="fragment")


def _show_failures(services: Services, run_id: str) -> None:
    found = ask(services.store.mirror.failures, FailureFilter(run_id=run_id), limit=_NEWEST)
    failure_list(found.rows, key=f"run-failures-{run_id}")
    if found.total > len(found.rows):
        bootstrap.link_to("failures", f"All {found.total:,} failures of this run", run_id=run_id)

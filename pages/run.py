"""Run: start subjects, watch them, look back at past runs."""

import streamlit as st

from failtrace.errors import FailtraceError
from failtrace.services import is_alive
from failtrace.ui import bootstrap, launch
from failtrace.ui.lists import run_list
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.run_form import run_form
from failtrace.ui.run_view import show_run
from failtrace.ui.url_state import RunAddress

PAST_RUNS = 20

bootstrap.page("run")
services = bootstrap.services()
mirror, subjects = services.store.mirror, services.registry.subjects()
ask(mirror.mark_interrupted, is_alive)

st.title("Run", anchor=False)
for sentence in services.registry.problems:
    problem("A module of subjects could not be loaded.", sentence)

latest = st.session_state.get("run-latest", "")
row = ask(mirror.run, latest) if latest else None
busy = launch.is_underway(latest) and (row is None or row.state == "running")
request = run_form(subjects, busy=busy) if subjects else None
if not subjects:
    empty("No subjects are registered", "Name your modules in FAILTRACE_SUBJECTS and start the dashboard again.")

if request:
    try:
        run_id = launch.start(request, {subject.name for subject in subjects}, services.settings.home)
    except FailtraceError as error:
        problem("The run was not started.", str(error))
    else:
        st.session_state["run-latest"] = st.query_params["run_id"] = run_id
        st.rerun()

address = RunAddress.read(st.query_params)
if address.run_id:
    show_run(services, address.run_id)

st.subheader("Past runs", anchor=False)
runs = ask(mirror.runs, limit=PAST_RUNS)
if runs.rows:
    run_list(runs.rows, key="runs")
else:
    st.caption("Nothing has run yet.")

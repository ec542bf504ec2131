"""Run: start subjects, watch them, look back at past runs."""

import streamlit as st

from failtrace.services import is_alive
from failtrace.ui import bootstrap, launch
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.past_runs import show_past_runs
from failtrace.ui.run_form import run_form
from failtrace.ui.run_view import show_run
from failtrace.ui.url_state import RunAddress

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
request = None
if subjects:
    last = ask(mirror.last_results, [subject.name for subject in subjects])
    request = run_form(subjects, last, busy=busy, has_cosmos=services.settings.cosmos_endpoint is not None)
else:
    empty("No subjects are registered", "Name your modules in FAILTRACE_SUBJECTS and start the dashboard again.")
if request:
    launch.start_and_show(request, {subject.name for subject in subjects}, services.settings.home)

runs = ask(mirror.runs, limit=20).rows
address = RunAddress.read(st.query_params)
going = next((run.run_id for run in runs if run.state == "running"), "")
# Whoever watches a run goes on seeing it when it ends.
watched = st.session_state["run-watched"] = going or st.session_state.get("run-watched", "")
if shown := address.run_id or watched:
    show_run(services, shown)

show_past_runs(mirror)

"""Run: start subjects, watch them, look back at past runs."""

import streamlit as st

from failtrace.ui import bootstrap
from failtrace.ui.notices import problem
from failtrace.ui.run.following import follow_runs, in_sight
from failtrace.ui.run.form import run_form
from failtrace.ui.run.past import show_past_runs
from failtrace.ui.run.view import show_run

bootstrap.page("run")
services = bootstrap.services()
going = follow_runs(services.store.mirror)

st.title("Run", anchor=False)
for sentence in services.registry.problems:
    problem("A module of subjects could not be loaded.", sentence)

shown = in_sight(going)
if shown:
    show_run(services, shown)
run_form(services, folded=bool(shown))
show_past_runs(services.store.mirror)

"""Failure: the whole story of one, by its id."""

import streamlit as st

from failtrace.exchange.account import account
from failtrace.ui import bootstrap
from failtrace.ui.failure.beside import beside_in_list, passing_twin, similar_count
from failtrace.ui.failure.evidence_view import show_cause
from failtrace.ui.failure.opening import id_box, open_record
from failtrace.ui.failure.record_head import Ways, record_head, ways_of_the_list
from failtrace.ui.failure.record_view import show_tabs
from failtrace.ui.failure.timeline import show_steps
from failtrace.ui.url_state import FailureAddress

bootstrap.page("failure")
store = bootstrap.services().store
mirror = store.mirror

head = st.container()
ways, box = st.columns([4, 5], vertical_alignment="center")
with box:
    typed = id_box()
said = FailureAddress.read(st.query_params)
with ways:
    ways_of_the_list(said.within, beside_in_list(mirror, FailureAddress.parse(typed).failure_id, said.within))
found = open_record(store, typed, head)

record = found.record
address = FailureAddress(record.failure_id or record.trace_id, said.step, said.within)
bootstrap.name_tab(record.subject.name)
record_head(found, Ways(account(record, similar_count(mirror, record)), passing_twin(mirror, record)))
show_cause(record, address)
st.subheader("Steps", anchor=False)
if record.steps:
    show_steps(record)
else:
    st.caption("The subject opened no step.")
show_tabs(record, found.body, mirror)

"""Failure: the whole story of one, by its id."""

import streamlit as st

from failtrace.errors import NoAnswer, StoreError, UnreadableRecord
from failtrace.ui import bootstrap
from failtrace.ui.evidence_view import show_evidence
from failtrace.ui.notices import ask, empty, problem, stop_with, wait_for_answer
from failtrace.ui.record_head import record_head
from failtrace.ui.record_view import show_raw, show_tabs, show_timeline
from failtrace.ui.url_state import FailureAddress

# How long the page waits for Cosmos DB before it says so, and asks again by itself.
PATIENCE_S = 0.5

bootstrap.page("failure")
store = bootstrap.services().store

typed = st.text_input(
    "Failure id",
    key="failure_id",
    bind="query-params",
    placeholder="Paste a failure_id, or anything that holds one",
    icon=":material/manage_search:",
    label_visibility="collapsed",
)
address = FailureAddress.parse(typed or "")

if not (typed or "").strip():
    empty("Open a failure by its id", "Paste a failure_id above, or choose one from the list.")
    bootstrap.link_to("failures", "All failures")
    st.stop()
if not address.failure_id:
    problem("This is not a failure_id.", "One looks like 0193f6c2-7a1b-7c3d-8e4f-0123456789ab.")
    st.stop()

try:
    found = store.lookup(address.failure_id, PATIENCE_S)
except NoAnswer as error:
    wait_for_answer(str(error))
except UnreadableRecord as error:
    problem("This record cannot be read.", str(error))
    raw = ask(store.raw, address.failure_id, PATIENCE_S)
    if raw:
        show_raw(raw, address.failure_id)
    st.stop()
except StoreError as error:
    stop_with("The store cannot be read.", str(error))

if found is None:
    empty(
        "No failure has this id",
        "It may be in another home folder, or not delivered yet.",
        ":material/search_off:",
    )
    bootstrap.link_to("failures", "All failures")
    st.stop()

record = found.record
bootstrap.name_tab(record.subject.name)
record_head(record, found.source, found.stored_at, found.note)
if record.failure:
    show_evidence(record.failure)
st.subheader("Steps", anchor=False)
if record.steps:
    show_timeline(record)
else:
    st.caption("The subject opened no step.")
show_tabs(record, found.body)

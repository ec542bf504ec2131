"""From what somebody typed to a record: the box for an id, and what to say where it opens nothing."""

from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from failtrace.errors import FailtraceError, NoAnswer, StoreError, UnreadableRecord
from failtrace.mirror.views import ExecutionRow
from failtrace.storage.lookup import Found
from failtrace.storage.trace_store import TraceStore
from failtrace.ui import bootstrap
from failtrace.ui.failure.opened_records import OpenedRecords
from failtrace.ui.failure.record_view import show_raw
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import empty, no_id, problem, wait_for_answer
from failtrace.ui.url_state import FailureAddress
from failtrace.ui.wording import duration

PATIENCE_S = 0.5
"""How long the page waits for Cosmos DB before it says so, and asks again by itself."""
_KEY = "failure_id"


def id_box() -> str:
    """The box for an id, and what stands in it."""
    typed = st.text_input(
        "Failure id or trace id",
        key=_KEY,
        bind="query-params",
        placeholder="Paste a failure_id or trace_id, or anything that holds one",
        icon=":material/manage_search:",
        label_visibility="collapsed",
        on_change=_tidy,
    )
    return (typed or "").strip()


def open_record(store: TraceStore, typed: str, head: DeltaGenerator) -> Found:
    """The record that the text names. Where there is none, a title in the head, a sentence, and the end of the page."""
    if not typed:
        empty("Open a failure by its id", "Paste a failure_id above, or choose one from the list.")
        _end(head)
    any_id = FailureAddress.parse(typed).failure_id
    if not any_id:
        no_id()
        _end(head)
    try:
        found = _opened().get(any_id, lambda: store.lookup(any_id, PATIENCE_S))
    except NoAnswer as error:
        wait_for_answer(str(error))
    except UnreadableRecord as error:
        _unreadable(store, any_id, error)
        _end(head)
    except StoreError as error:
        problem("The store cannot be read.", str(error))
        bootstrap.link_to("health", "See what is wrong")
        st.stop()
    if found is None:
        _unknown(store, any_id)
        _end(head)
    return found


def summary_of(store: TraceStore, any_id: str) -> ExecutionRow | None:
    """What the mirror's lists know of an id; None also where the mirror cannot be asked."""
    try:
        return store.mirror.execution(any_id)
    except FailtraceError:
        return None


def _tidy() -> None:
    """Of what was pasted the id alone stays, in the box and in the address; the old record's step goes."""
    found = FailureAddress.parse(st.session_state[_KEY] or "").failure_id
    if found:
        st.session_state[_KEY] = found
    st.query_params.pop("step", None)


@st.cache_resource(show_spinner=False)
def _opened() -> OpenedRecords:
    return OpenedRecords()


def _unreadable(store: TraceStore, any_id: str, error: UnreadableRecord) -> None:
    """A damaged record, or one of a newer failtrace: what its summary says, and its bytes where they can be had."""
    problem("This record cannot be read.", str(error))
    row = summary_of(store, any_id)
    if row:
        _show_summary(row)
    try:
        raw = store.raw(any_id, PATIENCE_S)
    except UnreadableRecord:
        raw = None
        st.caption("Its bytes are not those that were stored, so they are not shown.")
    except StoreError as unread:
        raw = None
        problem("Its bytes cannot be read either.", str(unread))
    if raw:
        show_raw(raw, any_id, store.mirror)


def _unknown(store: TraceStore, any_id: str) -> None:
    row = summary_of(store, any_id)
    if row:
        empty(
            "Only a summary of this execution is kept",
            "Of executions that passed, the newest whole records of each subject are kept, and the summaries of all.",
            ":material/inventory_2:",
        )
        _show_summary(row)
    else:
        asked = (
            "Cosmos DB and this machine were asked." if store.backend.remote else "It may be in another home folder."
        )
        empty("No failure has this id", f"{asked} Check that it was copied whole.", ":material/search_off:")


def _show_summary(row: ExecutionRow) -> None:
    st.caption("What the list knows of it:")
    if row.failure_id:
        failure_list([row], key="summary")
    else:
        st.text(f"{row.subject}, passed, took {duration(row.duration_ms)}, {row.ended_at:%Y-%m-%d %H:%M:%S} UTC")


def _end(head: DeltaGenerator) -> NoReturn:
    """The way to the list stands above already; a record would have been its own title."""
    head.title("Open a failure", anchor=False)
    st.stop()

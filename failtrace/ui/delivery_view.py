"""How failures reach Cosmos DB: the backlog, what cannot be sent, what cannot be read."""

import json
from collections.abc import Iterator
from typing import Final

import pandas as pd
import streamlit as st

from failtrace.health import delivery_facts
from failtrace.mirror.views import DeadLetter
from failtrace.storage.trace_store import TraceStore
from failtrace.ui.components import Fact, header
from failtrace.ui.notices import ask, problem
from failtrace.ui.values import show_text
from failtrace.ui.wording import plural

_SHOWN: Final = 200


def show_delivery(store: TraceStore) -> None:
    """The state of the relay and of the sync, from the mirror: no network is asked."""
    state = ask(store.mirror.outbox.status)
    inbox = ask(store.mirror.inbox.state, store.source)
    unreadable = ask(store.mirror.inbox.count_unreadable, store.source)
    if state.paused:
        problem(
            "Delivery to Cosmos DB is paused; nothing is lost, and it goes on by itself once this is mended.",
            state.paused,
        )
    facts = [Fact(name, value) for name, value in delivery_facts(state, inbox, unreadable) if name != "State"]
    badge = "interrupted" if state.paused else "running" if state.pending else "finished"
    header("Cosmos DB", [Fact("Store", store.source, "mono"), *facts], key="delivery", badge=badge)


def show_dead_letters(store: TraceStore) -> None:
    """What Cosmos DB does not take: to see, to send again, to take along."""
    page = ask(store.mirror.outbox.dead_letters, limit=_SHOWN)
    if not page.total:
        return
    st.subheader("Dead letters", anchor=False)
    st.caption("Cosmos DB can never take these as they are. The mirror keeps them, and they open as any failure does.")
    table = pd.DataFrame([_row(letter) for letter in page.rows])
    st.dataframe(table, hide_index=True, alt="Failures that Cosmos DB does not take")
    if page.total > len(page.rows):
        st.caption(f"The first {len(page.rows):,} of {page.total:,}; `failtrace cosmos dead-letters` shows all.")
    with st.container(horizontal=True):
        if st.button("Send again", icon=":material/send:", key="resend"):
            ask(store.mirror.outbox.resend)
            store.start_delivery()
            st.rerun()
        st.download_button(
            f"Export {plural(len(page.rows), 'dead letter')}",
            lambda: "".join(_lines(store, page.rows)),
            "dead-letters.jsonl",
            "application/x-ndjson",
            icon=":material/download:",
            on_click="ignore",
        )


def show_unreadable(store: TraceStore) -> None:
    """Items of another program, or of a newer failtrace, as they are."""
    items = ask(store.mirror.inbox.unreadable, store.source, limit=_SHOWN)
    if not items:
        return
    st.subheader("Items that could not be read", anchor=False)
    for number, item in enumerate(items):
        with st.container(border=True):
            st.text(item.id)
            st.text(item.reason)
            show_text(item.body.decode(errors="replace"), f"unreadable-{number}")


def _row(letter: DeadLetter) -> dict[str, object]:
    return {
        "Failure id": letter.failure_id,
        "Type": str(letter.failure_type),
        "Subject": letter.subject,
        "Answer": letter.status,
        "Why": letter.error,
        "Set aside": letter.buried_at,
    }


def _lines(store: TraceStore, letters: tuple[DeadLetter, ...]) -> Iterator[str]:
    for letter in letters:
        body = ask(store.mirror.record, letter.failure_id)
        told = {**_row(letter), "Set aside": letter.buried_at.isoformat(), "record": json.loads(body) if body else None}
        yield json.dumps(told, ensure_ascii=False) + "\n"

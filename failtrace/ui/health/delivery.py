"""How failures reach Cosmos DB: the backlog, what cannot be sent, what cannot be read."""

import json
from collections.abc import Iterator
from typing import Final

import streamlit as st

from failtrace.delivery_facts import dead_letter_row, delivery_facts
from failtrace.mirror.views import DeadLetter
from failtrace.storage.trace_store import TraceStore
from failtrace.ui.components import Column, Fact, ListRow, header, link_list
from failtrace.ui.kinds import kind_of
from failtrace.ui.notices import ask, problem
from failtrace.ui.taken_along import noted
from failtrace.ui.url_state import FailureAddress
from failtrace.ui.values import show_text
from failtrace.ui.visitor import visitor
from failtrace.ui.wording import plural

_SHOWN: Final = 200
_COLUMNS: Final = (
    Column("type", "Type", "badge", "9.6rem"),
    Column("subject", "Subject", "strong", "minmax(6rem, 1fr)"),
    Column("why", "Why", "message", "minmax(0, 3fr)"),
    Column("when", "Set aside", "time", "6.6rem"),
)


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
    facts = [Fact(name, value) for name, value in delivery_facts(state, inbox, unreadable)]
    header("Cosmos DB", [Fact("Store", store.source, "mono"), *facts], key="delivery")


def show_dead_letters(store: TraceStore) -> None:
    """What Cosmos DB does not take: to see, to send again, to take along."""
    page = ask(store.mirror.outbox.dead_letters, limit=_SHOWN)
    if not page.total:
        return
    st.subheader("Dead letters", anchor=False)
    st.caption("Cosmos DB can never take these as they are. The mirror keeps them, and they open as any failure does.")
    link_list(_COLUMNS, [_row(letter) for letter in page.rows], key="dead-letters")
    if page.total > len(page.rows):
        st.caption(f"The first {len(page.rows):,} of {page.total:,}; `failtrace cosmos dead-letters` shows all.")
    with st.container(horizontal=True):
        if visitor().may_run and st.button("Send again", icon=":material/send:", key="resend"):
            ask(store.mirror.outbox.resend)
            store.start_delivery()
            st.rerun()
        st.download_button(
            f"Export {plural(len(page.rows), 'dead letter')}",
            noted(store.mirror, plural(len(page.rows), "dead letter"), lambda: "".join(_lines(store, page.rows))),
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


def _row(letter: DeadLetter) -> ListRow:
    return ListRow(
        id=letter.failure_id,
        href=FailureAddress(letter.failure_id).link,
        cells={
            "type": kind_of(letter.failure_type).key,
            "subject": letter.subject,
            "why": letter.error,
            "when": letter.buried_at.isoformat(),
        },
    )


def _lines(store: TraceStore, letters: tuple[DeadLetter, ...]) -> Iterator[str]:
    for letter in letters:
        body = ask(store.mirror.record, letter.failure_id)
        record = None if body is None else json.loads(body)
        yield json.dumps({**dead_letter_row(letter), "record": record}, ensure_ascii=False) + "\n"

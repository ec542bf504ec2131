"""The controls that narrow the list of failures. Each stands in the address: a link shows what its sender saw."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from failtrace.contracts import FailureType
from failtrace.mirror.views import Sort
from failtrace.ui.bound import publish, seed
from failtrace.ui.components import Chip, chips
from failtrace.ui.kinds import KINDS
from failtrace.ui.url_state import MOST_TEXT, SORTS, FailuresAddress, RunAddress, TimeRange, misread

_SORTS: Final[dict[Sort, str]] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "longest": "Longest first",
    "shortest": "Shortest first",
}


def failure_filters(subjects: Sequence[str], span: TimeRange) -> FailuresAddress:
    """Search, type, subject and order, beside the time range; what came by the address alone stands in chips."""
    if wrong := misread(st.query_params):
        st.caption(f"The address says something under {', '.join(wrong)} that this page cannot read; it is left out.")
    said = FailuresAddress.read(st.query_params)
    words, types, names, order = st.columns([4, 3, 3, 2])
    with words:
        text = _words(said)
    with types:
        chosen_types = _types(said)
    with names:
        chosen_subjects = _subjects(said, subjects)
    with order:
        sort = _sort(said)
    address = replace(
        said,
        text=text,
        failure_types=chosen_types,
        subjects=chosen_subjects,
        range=span,
        sort=sort,
    )
    _show_chips(address)
    return address


def _words(said: FailuresAddress) -> str:
    seed("words", said.text)
    st.text_input(
        "Search",
        key="words",
        placeholder="Words in messages, inputs, outputs…",
        icon=":material/search:",
        label_visibility="collapsed",
        max_chars=MOST_TEXT,
    )
    chosen: str = st.session_state["words"] or ""
    publish("words", "q", chosen, [chosen] if chosen else [])
    return chosen


def _subjects(said: FailuresAddress, known: Sequence[str]) -> tuple[str, ...]:
    seed("subjects", [name for name in said.subjects if name in known])
    st.multiselect("Subject", list(known), key="subjects", placeholder="All subjects", label_visibility="collapsed")
    chosen = list(st.session_state["subjects"])
    publish("subjects", "subject", chosen, chosen)
    return tuple(chosen)


def _types(said: FailuresAddress) -> tuple[FailureType, ...]:
    seed("types", list(said.failure_types))
    st.multiselect(
        "Type",
        list(KINDS),
        format_func=lambda item: KINDS[item].title,
        key="types",
        placeholder="All types",
        label_visibility="collapsed",
    )
    chosen = list(st.session_state["types"])
    publish("types", "type", chosen, [str(item) for item in chosen])
    return tuple(chosen)


def _sort(said: FailuresAddress) -> Sort:
    seed("sorted", said.sort)
    st.selectbox(
        "Order", list(SORTS), format_func=lambda item: _SORTS[item], key="sorted", label_visibility="collapsed"
    )
    chosen: Sort = st.session_state["sorted"]
    publish("sorted", "sort", chosen, [] if chosen == "newest" else [chosen])
    return chosen


def _show_chips(address: FailuresAddress) -> None:
    found = []
    if address.since or address.until:
        bounds = [moment.isoformat() if moment else "" for moment in (address.since, address.until)]
        href = replace(address, since=None, until=None).link
        found.append(Chip("", href, kind="time", since=bounds[0], until=bounds[1]))
    if address.run.run_id:
        found.append(Chip("run", replace(address, run=RunAddress()).link, address.run.run_id, "code"))
    if address.fingerprint:
        found.append(Chip("fingerprint", replace(address, fingerprint="").link, address.fingerprint, "code"))
    if found:
        chips(found, key="failures-chips")

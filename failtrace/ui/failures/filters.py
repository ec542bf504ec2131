"""The controls that narrow the list of failures. Each stands in the address: a link shows what its sender saw."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from failtrace.contracts import FailureType
from failtrace.mirror.views import Sort
from failtrace.ui.bound import publish, seed
from failtrace.ui.components import Chip, chips
from failtrace.ui.kinds import KINDS
from failtrace.ui.notices import tell_ignored
from failtrace.ui.url_state import MOST_TEXT, SORTS, FailuresAddress, RunAddress, TimeRange, misread

_SORTS: Final[dict[Sort, str]] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "longest": "Longest first",
    "shortest": "Shortest first",
}

_TIMES: Final = "failures-times"
_EARLIEST: Final = datetime.fromisoformat("1970-01-01")


def failure_filters(subjects: Sequence[str], span: TimeRange) -> FailuresAddress:
    """Search, type, subject and order, beside the time range; what came by the address alone stands in chips."""
    tell_ignored(misread(st.query_params))
    said = _timed(FailuresAddress.read(st.query_params), span)
    words, types, names, order, times = st.columns([4, 2.7, 2.6, 2.2, 1.8])
    with words:
        text = _words(said)
    with types:
        chosen_types = _types(said)
    with names:
        chosen_subjects = _subjects(said, subjects)
    with order:
        sort = _sort(said)
    with times:
        _choose_times(said)
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


def _timed(said: FailuresAddress, span: TimeRange) -> FailuresAddress:
    """What the address says, without its bounds of time where a time range was chosen since: the newer word counts."""
    bounds = said.since, said.until
    last = st.session_state.get(_TIMES, (span, bounds))
    if any(bounds) and last[1] == bounds and last[0] is not span:
        said = replace(said, since=None, until=None)
        _set_times(None, None)
    st.session_state[_TIMES] = span, (said.since, said.until)
    return said


def _choose_times(said: FailuresAddress) -> None:
    """A form for both bounds, in the reader's own time zone."""
    zone = _zone()
    with st.popover("Time", icon=":material/schedule:", width="stretch", key="times"), st.form("times-form"):
        since = _bound("From", said.since, zone)
        until = _bound("To", said.until, zone)
        st.caption(f"Time zone: {zone.key}")
        if st.form_submit_button("Show this time", width="stretch"):
            _set_times(since, until)
            st.rerun()


def _bound(label: str, said: datetime | None, zone: ZoneInfo) -> datetime | None:
    # A bound that came by the address makes another widget: what was typed before is not its value.
    value = said.astimezone(zone).replace(tzinfo=None) if said else None
    chosen = st.datetime_input(label, value, key=f"times-{label}-{value}", step=60, min_value=_EARLIEST)
    return chosen.replace(tzinfo=zone).astimezone(UTC) if chosen else None


def _set_times(since: datetime | None, until: datetime | None) -> None:
    """In one step, so that Back takes both away at once."""
    kept = {name: st.query_params.get_all(name) for name in st.query_params if name not in ("from", "to")}
    st.query_params.from_dict({**kept, **FailuresAddress(since=since, until=until).params})


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")


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
    # A link may name subjects that never ran here: it narrows all the same, to nothing.
    options = [*known, *[name for name in said.subjects if name not in known]]
    seed("subjects", list(said.subjects))
    st.multiselect("Subject", options, key="subjects", placeholder="All subjects", label_visibility="collapsed")
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

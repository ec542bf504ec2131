"""Failures of the same cause: how many, since when, the newest of them, and why they count as one."""

from typing import Final

import streamlit as st

from failtrace.analysis.fingerprint import ALGORITHM
from failtrace.contracts import TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.ui import bootstrap
from failtrace.ui.failure.beside import NEWEST, similar
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import ask
from failtrace.ui.wording import plural
from failtrace.wording import ago

_LONGEST_PART: Final = 300
_MOST_PARTS: Final = 50


def show_similar(mirror: Mirror, record: TraceRecord) -> None:
    """The group of a failure; for one that passed, or that the mirror does not hold, a sentence."""
    failure = record.failure
    if failure is None:
        st.caption("This execution passed, so there is nothing like it to look for.")
        return
    group = ask(similar, mirror, record)
    if group is None:
        st.caption("This machine's mirror holds no failure with its fingerprint.")
    elif group.total == 1:
        st.text("No other failure has this cause.")
    else:
        first, last = group.first.ended_at, group.newest[0].ended_at
        counted = plural(group.total, "failure has", "failures have")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{counted} this cause, first seen {ago(first)} ago, last {ago(last)} ago.")
            bootstrap.link_to("failures", "All of them in the list", fingerprint=failure.fingerprint)
        if group.total > NEWEST:
            st.caption(f"The newest {NEWEST}:")
        failure_list(group.newest, key="similar")
    st.caption("Failures are one group where they share all of this:")
    parts = [part[:_LONGEST_PART] for part in failure.fingerprint_parts[:_MOST_PARTS] if part != ALGORITHM]
    st.code("\n".join(parts), language=None, wrap_lines=True)

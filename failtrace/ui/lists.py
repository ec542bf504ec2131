"""Lists of failures, one link a row."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.views import ExecutionRow
from failtrace.ui.components import Column, ListRow, Picked, link_list, pick_list
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import FailureAddress, FailuresAddress
from failtrace.ui.wording import duration

_LONGEST_MESSAGE: Final = 300
_PICKED: Final = "failures-picked"
_COLUMNS: Final = (
    Column("type", "Type", "badge", "8.6rem"),
    Column("subject", "Subject", "strong", "minmax(9rem, 1.6fr)"),
    Column("message", "Message", "message", "minmax(0, 3fr)"),
    Column("took", "Took", "number", "5.2rem", hide=True),
    Column("when", "When", "time", "6.6rem"),
)


def failure_list(rows: Sequence[ExecutionRow], *, key: str, within: FailuresAddress | None = None) -> None:
    """Failures, each a link to its page; the link says of which list it is one, where that is given."""
    link_list(_COLUMNS, _rows(rows, within), key=key)


def failure_choice(rows: Sequence[ExecutionRow], within: FailuresAddress, *, key: str, total: int) -> Picked:
    """As `failure_list`, with a box before each row; gives what is selected, also to who went away and came back."""
    question, kept = st.session_state.get(_PICKED, ("", Picked()))
    begun = kept if question == within.link else Picked()
    picked = pick_list(_COLUMNS, _rows(rows, within), key=key, picked=begun, question=within.link, total=total)
    st.session_state[_PICKED] = within.link, picked
    return picked


def _rows(rows: Sequence[ExecutionRow], within: FailuresAddress | None) -> list[ListRow]:
    return [
        ListRow(
            id=row.failure_id,
            href=FailureAddress(row.failure_id, within=within).link,
            cells={
                "type": kind_of(row.failure_type).key,
                "subject": row.subject,
                "message": row.message[:_LONGEST_MESSAGE],
                "took": duration(row.duration_ms),
                "when": row.ended_at.isoformat(),
            },
        )
        for row in rows
        if row.failure_id
    ]

"""The last deeds of the audit. Names and details are others' words: the list sets them as text."""

from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import AuditRow
from failtrace.ui.components import Column, ListRow, link_list
from failtrace.ui.notices import ask
from failtrace.ui.run.lists import few
from failtrace.ui.url_state import RunAddress

_SHOWN: Final = 20
_OF_RUNS: Final = ("started a run", "cancelled a run")
_COLUMNS: Final = (
    Column("deed", "Action", "strong", "11rem"),
    Column("who", "Who", "text", "minmax(4rem, 1fr)"),
    Column("detail", "Detail", "message", "minmax(0, 4fr)"),
    Column("when", "When", "time", "6.6rem"),
)


def show_audit(mirror: Mirror) -> None:
    """Who did what, newest first; what was done with a run leads to it."""
    rows, total = ask(mirror.audit, _SHOWN)
    st.subheader("Who did what", anchor=False)
    if not rows:
        st.caption("Nobody has started, cancelled or exported anything yet.")
        return
    link_list(_COLUMNS, [_row(number, row) for number, row in enumerate(rows)], key="audit")
    if total > len(rows):
        st.caption(f"The newest {len(rows):,} of {total:,}; `failtrace audit` shows more.")


def _row(number: int, row: AuditRow) -> ListRow:
    href, detail = "", row.detail
    if row.deed in _OF_RUNS:
        run_id, colon, names = row.detail.partition(": ")
        address = RunAddress.read({"run_id": run_id})
        href = address.link if address.run_id else ""
        detail = f"{run_id}{colon}{few(names.split(', '))}"
    cells: dict[str, str | None] = {"deed": row.deed, "who": row.who, "detail": detail, "when": row.at.isoformat()}
    return ListRow(id=str(number), href=href, cells=cells)

"""Lists of executions and of runs, one link a row, and the paging under them."""

from collections.abc import Hashable, Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.views import ExecutionRow, Page, RunRow
from failtrace.ui.components import Column, ListRow, link_list
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import FailureAddress, RunAddress
from failtrace.ui.wording import duration

PAGE_SIZE: Final = 50
_LONGEST_MESSAGE: Final = 300
_NAMED: Final = 2
_FAILURE_COLUMNS: Final = (
    Column("type", "Type", "badge", "9.6rem"),
    Column("subject", "Subject", "strong", "minmax(6rem, 1.1fr)"),
    Column("message", "Message", "message", "minmax(0, 3fr)"),
    Column("took", "Took", "number", "5.2rem", hide=True),
    Column("when", "When", "time", "6.6rem"),
)
_RUN_COLUMNS: Final = (
    Column("state", "State", "badge", "8rem"),
    Column("subjects", "Subjects", "strong", "minmax(0, 3fr)"),
    Column("executions", "Executions", "number", "6rem"),
    Column("failed", "Failed", "number", "5rem"),
    Column("run_id", "Run", "code", "minmax(6rem, 1.6fr)", hide=True),
    Column("when", "Started", "time", "6.6rem"),
)


def failure_list(rows: Sequence[ExecutionRow], *, key: str) -> None:
    """Failures, each a link to its page."""
    link_list(_FAILURE_COLUMNS, [_failure_row(row) for row in rows if row.failure_id], key=key)


def run_list(rows: Sequence[RunRow], *, key: str) -> None:
    """Runs, each a link to its page."""
    link_list(_RUN_COLUMNS, [_run_row(row) for row in rows], key=key)


class Trail:
    """Where a reader of a keyset-paged list stands: the cursors walked so far, while the question stays."""

    def __init__(self, key: str, question: Hashable) -> None:
        self._key = f"{key}-trail"
        kept = st.session_state.get(self._key)
        self._question = question
        self.cursors: tuple[str, ...] = kept[1] if kept and kept[0] == question else ()

    @property
    def after(self) -> str | None:
        """The cursor to ask the next stretch with."""
        return self.cursors[-1] if self.cursors else None

    def controls(self, page: Page[ExecutionRow]) -> None:
        """`51–100 of 1,204`, and the ways to newer and older."""
        first = len(self.cursors) * PAGE_SIZE + 1
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"{first:,}–{first + len(page.rows) - 1:,} of {page.total:,}")
            if not self.cursors and page.after is None:
                return
            with st.container(horizontal=True, width="content"):
                self._button("Newer", self.cursors[:-1], ":material/chevron_left:", disabled=not self.cursors)
                older = (*self.cursors, page.after or "")
                self._button("Older", older, ":material/chevron_right:", disabled=page.after is None)

    def _button(self, label: str, cursors: tuple[str, ...], icon: str, *, disabled: bool) -> None:
        st.button(
            label,
            icon=icon,
            disabled=disabled,
            key=f"{self._key}-{label}",
            on_click=self._walk,
            args=(cursors,),
        )

    def _walk(self, cursors: tuple[str, ...]) -> None:
        st.session_state[self._key] = (self._question, cursors)


def _failure_row(row: ExecutionRow) -> ListRow:
    failure_id = row.failure_id or ""
    return ListRow(
        id=failure_id,
        href=FailureAddress(failure_id).link,
        cells={
            "type": kind_of(row.failure_type).key,
            "subject": row.subject,
            "message": row.message[:_LONGEST_MESSAGE],
            "took": duration(row.duration_ms),
            "when": row.ended_at.isoformat(),
        },
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _run_row(row: RunRow) -> ListRow:
    return ListRow(
        id=row.run_id,
        href=RunAddress(row.run_id).link,
        cells={
            "state": row.state,
            "subjects": _few(row.subjects),
            "executions": f"{row.executions:,}",
            "failed": f"{row.failed:,}",
            "run_id": row.run_id,
            "when": row.started_at.isoformat(),
        },
    )

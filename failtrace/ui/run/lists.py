"""Lists of runs, and of the executions of one."""

from collections.abc import Sequence
from typing import Final

from failtrace.mirror.views import ExecutionRow, RunRow
from failtrace.ui.components import Column, ListRow, link_list
from failtrace.ui.kinds import kind_of
from failtrace.ui.run.words import rate, took
from failtrace.ui.url_state import FailureAddress, RunAddress
from failtrace.ui.wording import duration, percent

_LONGEST_MESSAGE: Final = 300
_EXECUTION_COLUMNS: Final = (
    Column("type", "Result", "badge", "8.6rem"),
    Column("subject", "Subject", "strong", "minmax(9rem, 1.6fr)"),
    Column("message", "Message", "message", "minmax(0, 3fr)"),
    Column("took", "Took", "number", "5.2rem"),
    Column("when", "Ended", "time", "6.6rem", hide=True),
)
_RUN_COLUMNS: Final = (
    Column("state", "State", "badge", "7rem"),
    Column("subjects", "Subjects", "strong", "minmax(0, 3fr)"),
    Column("executions", "Executions", "number", "5rem"),
    Column("failed", "Failed", "number", "6.8rem"),
    Column("took", "Took", "number", "5rem", hide=True),
    Column("rate", "Per second", "number", "5rem", hide=True),
    Column("when", "Started", "time", "6.6rem"),
)


def run_list(rows: Sequence[RunRow], *, key: str) -> None:
    """Runs, each a link to its page."""
    link_list(_RUN_COLUMNS, [_run_row(row) for row in rows], key=key)


def execution_list(rows: Sequence[ExecutionRow], *, key: str) -> None:
    """Executions, passed ones too, each a link to its record."""
    link_list(_EXECUTION_COLUMNS, [_execution_row(row) for row in rows], key=key)


def few(names: Sequence[str], named: int = 2) -> str:
    """`a, b and 3 more`."""
    return ", ".join(names) if len(names) <= named else f"{', '.join(names[:named])} and {len(names) - named} more"


def _execution_row(row: ExecutionRow) -> ListRow:
    any_id = row.failure_id or row.trace_id
    return ListRow(
        id=any_id,
        href=FailureAddress(any_id).link,
        cells={
            "type": kind_of(row.failure_type).key,
            "subject": row.subject,
            "message": row.message[:_LONGEST_MESSAGE],
            "took": duration(row.duration_ms),
            "when": row.ended_at.isoformat(),
        },
    )


def _run_row(row: RunRow) -> ListRow:
    goes = row.state == "running"
    share = f" ({percent(row.failed / row.executions)})" if row.failed else ""
    return ListRow(
        id=row.run_id,
        href=RunAddress(row.run_id).link,
        cells={
            "state": row.state,
            "subjects": few(row.subjects, 1),
            # Of a run that goes on, the list would soon be out of date.
            "executions": None if goes else f"{row.executions:,}",
            "failed": None if goes else f"{row.failed:,}{share}",
            "took": took(row),
            "rate": rate(row),
            "when": row.started_at.isoformat(),
        },
    )

"""Two runs against each other: what fails now, what no longer does, and what still does.

Executions belong together when subject and input are the same; of several, one that failed stands for all.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, select

from failtrace.mirror.lists import view
from failtrace.mirror.selection import COLUMNS
from failtrace.mirror.tables import execution
from failtrace.mirror.views import Compared, ComparedRow, ExecutionRow, RunComparison

_PAIRS = """
    SELECT max(CASE WHEN run_id = :before THEN failure_type <> '' END) AS failed_before,
           max(CASE WHEN run_id = :after THEN failure_type <> '' END) AS failed_after,
           coalesce(max(CASE WHEN run_id = :before AND failure_type <> '' THEN id END),
                    max(CASE WHEN run_id = :before THEN id END)) AS before_id,
           coalesce(max(CASE WHEN run_id = :after AND failure_type <> '' THEN id END),
                    max(CASE WHEN run_id = :after THEN id END)) AS after_id
    FROM execution WHERE run_id IN (:before, :after)
    GROUP BY subject, input_key ORDER BY subject, min(id)
"""
_AT_ONCE = 500


class _Class:
    """One answer of the comparison, while it is being gathered."""

    def __init__(self) -> None:
        self.total = 0
        self.pairs: list[tuple[int, int]] = []

    def take(self, before_id: int, after_id: int, limit: int) -> None:
        self.total += 1
        if len(self.pairs) < limit:
            self.pairs.append((before_id, after_id))


def compare_runs(connection: Connection, before: str, after: str, limit: int) -> RunComparison:
    """The comparison, with at most `limit` rows of each class."""
    fixed, newly, still = _Class(), _Class(), _Class()
    passing = only_before = only_after = 0
    by_answer = {(1, 0): fixed, (0, 1): newly, (1, 1): still}
    for failed_before, failed_after, before_id, after_id in connection.exec_driver_sql(
        _PAIRS, {"before": before, "after": after}
    ):
        if failed_before is None:
            only_after += 1
        elif failed_after is None:
            only_before += 1
        elif found := by_answer.get((failed_before, failed_after)):
            found.take(before_id, after_id, limit)
        else:
            passing += 1
    classes = (newly, fixed, still)
    rows = _rows(connection, {number for item in classes for pair in item.pairs for number in pair})
    newly_failing, no_longer, still_failing = [_compared(item, rows) for item in classes]
    return RunComparison(newly_failing, no_longer, still_failing, passing, only_before, only_after)


def _compared(found: _Class, rows: dict[int, ExecutionRow]) -> Compared:
    pairs = [(rows[before], rows[after]) for before, after in found.pairs]
    return Compared(found.total, tuple([ComparedRow(now.subject, now.input_key, then, now) for then, now in pairs]))


def _rows(connection: Connection, ids: Iterable[int]) -> dict[int, ExecutionRow]:
    wanted = sorted(ids)
    found: dict[int, ExecutionRow] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows: Sequence[Row[tuple[object, ...]]] = connection.execute(
            select(*COLUMNS).where(execution.c.id.in_(wanted[start : start + _AT_ONCE]))
        ).all()
        found |= {row.id: view(row) for row in rows}
    return found

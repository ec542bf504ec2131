"""All that the mirror holds, to write it elsewhere and to take it in again, equal afterwards.

Executions go out in the order of their ids, some at a time, each stretch in a transaction of its own: what is written
meanwhile comes at the end. Taking in is idempotent: what is there already stays as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from failtrace.mirror import audit
from failtrace.mirror.counted import counted
from failtrace.mirror.engine import Database
from failtrace.mirror.tables import body, execution, run
from failtrace.mirror.times import to_micros
from failtrace.mirror.writes import Entry, write

AT_ONCE = 200
_ROWS = (
    select(execution, body.c.body)
    .join_from(execution, body, body.c.execution_id == execution.c.id, isouter=True)
    .order_by(execution.c.id)
)
_RUN_COLUMNS = tuple([column for column in run.c if column.name not in ("id", "cancel_requested")])


class Archived(NamedTuple):
    """One execution: its summary, its record where that is kept, and when it was stored (microseconds)."""

    entry: Entry
    stored_at: int


class Archive:
    """Every method may raise StoreError. Thread-safe, and safe for several processes at once."""

    def __init__(self, database: Database, keep_passed: int, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keep_passed = keep_passed
        self._clock = clock

    def executions(self) -> Iterator[Archived]:
        """Every execution, oldest id first; the text that finds it is left out, for it is made of the record."""
        after = 0
        while True:
            with self._database.transaction() as connection:
                rows = connection.execute(_ROWS.where(execution.c.id > after).limit(AT_ONCE)).all()
            for row in rows:
                content = row.body if isinstance(row.body, bytes) else b""
                columns = {name: getattr(row, name) for name in Entry._fields if name not in ("body", "text")}
                yield Archived(Entry(**columns, body=content, text=""), row.stored_at)
            if len(rows) < AT_ONCE:
                return
            after = rows[-1].id

    def runs(self) -> Iterator[dict[str, Any]]:
        """Every run by the names of its columns, oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(select(*_RUN_COLUMNS).order_by(run.c.id)).all()
        for row in rows:
            yield dict(row._mapping)

    def restore(self, found: Sequence[Archived], *, outbox: bool = False) -> int:
        """Take executions in, all or none; gives how many were new. Raises FailureIdTaken.

        With `outbox` the failures among them are to be sent to Cosmos DB, by the same transaction.
        """
        if not found:
            return 0
        with self._writing() as connection:
            return sum(
                write(
                    connection,
                    [item.entry for item in group],
                    keep_passed=self._keep_passed,
                    stored_at=stored_at,
                    outbox=outbox,
                )
                for stored_at, group in groupby(found, key=lambda item: item.stored_at)
            )

    def restore_run(self, columns: dict[str, Any]) -> bool:
        """Take a run in; False where it is there already. One that was running then is interrupted now."""
        with self._writing() as connection:
            if connection.execute(select(run.c.id).where(run.c.run_id == columns["run_id"])).first():
                return False
            state = "interrupted" if columns["state"] == "running" else columns["state"]
            connection.execute(insert(run).values(**columns | {"state": state, "cancel_requested": False}))
            return True

    def restore_audit(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take deeds in with their numbers, all or none; for a mirror that has filed none of its own yet."""
        with self._writing() as connection:
            audit.restore(connection, rows)

    def number_audit_behind(self, number: int) -> None:
        """Give no deed a number up to this one any more."""
        with self._writing() as connection:
            audit.go_on_behind(connection, number)

    def _writing(self) -> AbstractContextManager[Connection]:
        return counted(self._database, to_micros(self._clock()))

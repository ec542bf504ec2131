"""Rows that no failtrace writes, in a file that was damaged or that an older one filled: no reader breaks on them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.records import NOON, item, make_record

from failtrace.mirror.mirror import Mirror


@pytest.mark.parametrize("far", [2**63 - 1, -(2**63)])
def test_such_a_row_that_is_there_already_breaks_no_reader(path: Path, far: int) -> None:
    """Times that no datetime can hold and subjects that are no list, in a file of an older failtrace."""
    with Mirror.open(path) as mirror:
        mirror.start_run("run-1", subjects=["answer"], planned=1, pid=1, at=NOON)
        mirror.write([item(make_record(number=1)), item(make_record(None, number=2))])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE execution SET ended_at = ?, stored_at = ?", (far, far))
        connection.execute("UPDATE run SET started_at = ?, ended_at = ?, subjects = '5'", (far, far))
        connection.execute("UPDATE timeline SET bucket = ? WHERE grain <> 'all' AND failure_type = ''", (far,))

    with Mirror.open(path) as mirror:
        assert mirror.failures().total == 1
        assert len(mirror.executions().rows) == 2
        assert mirror.stored(f"{1:032x}") is not None
        assert mirror.identity(f"{1:032x}") is not None
        assert mirror.overview().executions >= 1
        (run,) = mirror.runs().rows
        assert run.subjects == ()

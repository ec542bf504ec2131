"""Writes that pages want to see: each raises the mirror's `data_version`."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, update

from failtrace.mirror.engine import Database
from failtrace.mirror.tables import state

_WRITTEN = update(state).values(writes=state.c.writes + 1, last_write_at=bindparam("at"))


@contextmanager
def counted(database: Database, at: int) -> Iterator[Connection]:
    """A write transaction that counts, at a time in microseconds."""
    with database.transaction("BEGIN IMMEDIATE") as connection:
        connection.execute(_WRITTEN, {"at": at})
        yield connection

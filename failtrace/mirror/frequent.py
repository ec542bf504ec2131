"""Search for words that very many failures hold.

To list the newest of all that match, SQLite would read and sort every one of them. Where they are many, some are
near the top of the list anyway: so the list itself is read from its top, and what the index does not hold is left
out. Where that finds too few in a while (all matches are old), None says so, and sorting has to do.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal_column, select

from failtrace.mirror.selection import MATCHES, Selection, page_statement
from failtrace.mirror.statement import compiled
from failtrace.mirror.tables import failure_text

FREQUENT = 5_000
"""Matches from which reading from the top is worth a try; sorting so many takes about 20 ms."""
_CHUNKS = (1_000, 4_000, 10_000)

_MATCHING = compiled(
    select(failure_text.c.rowid).where(
        MATCHES, literal_column("rowid") >= bindparam("low"), literal_column("rowid") <= bindparam("high")
    )
)


def newest_matching(
    connection: Connection, selection: Selection, after: tuple[float, int] | None, limit: int
) -> Sequence[Row[Any]] | None:
    """The rows of `page_statement` for a selection with a frequent `match`; None where that takes too long."""
    listed, found = replace(selection, match=None, few=False), list[Row[Any]]()
    for chunk in _CHUNKS:
        statement, values = page_statement(listed, after, chunk)
        rows = statement.run(connection, values).all()
        found += _matching(connection, selection, rows)
        if len(found) >= limit or len(rows) < chunk:
            return found[:limit]
        after = getattr(rows[-1], selection.key), rows[-1].id
    return None


def _matching(connection: Connection, selection: Selection, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    bounds = {"match": selection.match, "low": min(ids), "high": max(ids)}
    matching = set(_MATCHING.run(connection, bounds).scalars())
    return [row for row in rows if row.id in matching]

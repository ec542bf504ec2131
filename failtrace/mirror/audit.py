"""Who did what, and when: rows that are only ever added, by the transaction of the deed itself where it writes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import sqlite

from failtrace.capture.redaction import redact_sentence
from failtrace.mirror.tables import audit
from failtrace.mirror.texts import spoken
from failtrace.mirror.times import from_micros
from failtrace.mirror.views import AuditRow, Deed

_LONGEST_NAME: Final = 320
"""Characters of an e-mail address, at most."""
_LONGEST_DETAIL: Final = 1000
_NUMBERED: Final = (
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'audit', 0 "
    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'audit')"
)
_LAST: Final = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'audit'"


def note(connection: Connection, deed: Deed, by: str, detail: str, at: int) -> None:
    """File a deed."""
    who, what = _kept(by, _LONGEST_NAME), _kept(detail, _LONGEST_DETAIL)
    connection.execute(insert(audit).values(at=at, who=who, deed=deed, detail=what))


def is_noted(connection: Connection, deed: Deed, by: str, detail: str) -> bool:
    """Whether exactly that was filed before."""
    who, what = _kept(by, _LONGEST_NAME), _kept(detail, _LONGEST_DETAIL)
    same = select(audit.c.id).where(audit.c.deed == deed, audit.c.who == who, audit.c.detail == what)
    return connection.execute(same.limit(1)).first() is not None


def newest(connection: Connection, limit: int) -> tuple[AuditRow, ...]:
    """The last deeds, newest first."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return tuple([AuditRow(from_micros(row.at), row.who, row.deed, row.detail) for row in rows])


def count(connection: Connection) -> int:
    """How many deeds there are in all."""
    return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


def restore(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Deeds of a damaged file, under the numbers they had: a gap stays to be seen. What is there already stays."""
    if rows:
        fresh = sqlite.insert(audit).on_conflict_do_nothing(index_elements=["id"])
        connection.execute(fresh, [dict(row) for row in rows])


def go_on_behind(connection: Connection, number: int) -> None:
    """Give numbers behind this one only: deeds had it and those before it, also those that are lost."""
    connection.exec_driver_sql(_NUMBERED)
    connection.exec_driver_sql(_LAST, (number,))


def _kept(text: str, longest: int) -> str:
    return redact_sentence(spoken(text[:longest]))[:longest]

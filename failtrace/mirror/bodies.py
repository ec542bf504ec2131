"""Whole records by id, checked against their sha256 on every read."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from failtrace.errors import UnreadableRecord
from failtrace.mirror.lists import TRACE_ID_LENGTH
from failtrace.mirror.tables import body, execution
from failtrace.mirror.times import from_micros

_STORED = select(body.c.body, execution.c.sha256, execution.c.stored_at).join_from(
    execution, body, body.c.execution_id == execution.c.id
)
_SMALL = """
    SELECT e.id, b.body, e.sha256 FROM execution e JOIN body b ON b.execution_id = e.id
    WHERE e.id IN (SELECT value FROM json_each(?)) AND length(b.body) <= ? AND typeof(b.body) = 'blob'
"""
_BY_TRACE_ID = _STORED.where(execution.c.trace_id == bindparam("any_id"))
_BY_FAILURE_ID = _STORED.where(execution.c.failure_id == bindparam("any_id"))
_IDENTITY = select(execution.c.failure_id, execution.c.sha256, execution.c.stored_at)
_IDENTITY_BY_TRACE_ID = _IDENTITY.where(execution.c.trace_id == bindparam("any_id"))
_IDENTITY_BY_FAILURE_ID = _IDENTITY.where(execution.c.failure_id == bindparam("any_id"))


class Identity(NamedTuple):
    """What an execution is stored under: its failure_id (None where it passed), sha256 (hex), and when."""

    failure_id: str | None
    sha256: str
    stored_at: datetime


class StoredBody(NamedTuple):
    """An encoded record, its sha256 (hex), and when the mirror took it."""

    body: bytes
    sha256: str
    stored_at: datetime


def identity(connection: Connection, any_id: str) -> Identity | None:
    """The identity of the execution of a trace_id or a failure_id."""
    statement = _IDENTITY_BY_TRACE_ID if len(any_id) == TRACE_ID_LENGTH else _IDENTITY_BY_FAILURE_ID
    row = connection.execute(statement, {"any_id": any_id}).first()
    return None if row is None else Identity(row[0], row[1].hex(), from_micros(row[2]))


def small_bodies(connection: Connection, execution_ids: Sequence[int], most: int) -> dict[int, bytes]:
    """The records of these executions that have at most so many bytes and are undamaged."""
    rows = connection.exec_driver_sql(_SMALL, (json.dumps(list(execution_ids)), most))
    return {number: body for number, body, sha256 in rows if hashlib.sha256(body).digest() == sha256}


def stored_body(connection: Connection, any_id: str) -> StoredBody | None:
    """The record of a trace_id or a failure_id; None where there is none, or only its summary was kept.

    Raises UnreadableRecord where the bytes are not those that were stored.
    """
    statement = _BY_TRACE_ID if len(any_id) == TRACE_ID_LENGTH else _BY_FAILURE_ID
    row = connection.execute(statement, {"any_id": any_id}).first()
    if row is None:
        return None
    content, sha256, stored_at = row
    # A damaged file may give a text or NULL where bytes were stored.
    if not isinstance(content, bytes) or hashlib.sha256(content).digest() != sha256:
        raise UnreadableRecord(
            f"The record {any_id!r} is damaged in the mirror: its bytes do not match their sha256; "
            "restore it from an export or from the store."
        )
    return StoredBody(content, sha256.hex(), from_micros(stored_at))

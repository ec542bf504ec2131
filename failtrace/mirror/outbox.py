"""The outbox: what is on its way to Cosmos DB, who brings it there, and how that goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, func, insert, literal, or_, select, update

from failtrace.contracts import FailureType
from failtrace.mirror import cursor
from failtrace.mirror.bodies import small_bodies
from failtrace.mirror.counted import counted
from failtrace.mirror.engine import Database
from failtrace.mirror.tables import PASSED, delivery, execution, outbox, relay
from failtrace.mirror.texts import speakable, spoken
from failtrace.mirror.times import HOUR, from_micros, to_micros
from failtrace.mirror.views import (
    Buried,
    DeadLetter,
    Delivery,
    DeliveryMark,
    Holder,
    OutboxItem,
    Page,
    Postponed,
    RelayStatus,
)

_PENDING, _DEAD = "pending", "dead"
_ABSURD = HOUR
"""A lease that holds for longer than this was given by a clock that has since been set back."""
_LAG_OF = 1_000
"""Deliveries whose lag is averaged, at most."""

_DUE = (
    select(outbox.c.execution_id, execution.c.failure_id, outbox.c.attempts, outbox.c.added_at)
    .join_from(outbox, execution, execution.c.id == outbox.c.execution_id)
    .where(outbox.c.state == _PENDING, outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.due_at, outbox.c.execution_id)
    .limit(bindparam("most"))
)
_COUNT = select(func.count()).select_from(outbox).where(outbox.c.state == bindparam("which"))
_NAMED = or_(execution.c.failure_id == bindparam("any_id"), execution.c.trace_id == bindparam("any_id"))
_IN_OUTBOX = select(outbox.c.execution_id).join_from(execution, outbox, outbox.c.execution_id == execution.c.id)
_IN_STORE = select(delivery).join_from(execution, delivery, delivery.c.execution_id == execution.c.id)
# The plus keeps SQLite from its index by state, which would have it read and sort all that is pending.
_OLDEST = "SELECT added_at FROM outbox WHERE +state = 'pending' ORDER BY execution_id LIMIT 1"
_SENT = "DELETE FROM outbox WHERE execution_id IN (SELECT value FROM json_each(?))"
_ADD_DELIVERY = """
    INSERT INTO delivery (execution_id, delivered_at, attempts, request_charge, activity_id, parts)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_NEVER_SENT = and_(
    execution.c.failure_type != PASSED,
    ~exists().where(outbox.c.execution_id == execution.c.id),
    ~exists().where(delivery.c.execution_id == execution.c.id),
)


class Outbox:
    """Every method may raise StoreError. Thread-safe, and safe for several processes at once."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    # The lease

    def acquire(self, holder: Holder, seconds: float, alive: Callable[[Holder], bool]) -> bool:
        """Take the lease, or keep it: where it is free, ran out, is this holder's, or its holder is not `alive`.

        Of several that try at once, one gets it.
        """
        now = to_micros(self._clock())
        with self._database.transaction() as connection:
            seen = connection.execute(select(relay)).one()
        if not _free_for(holder, seen, now) and alive(_holder(seen)):
            return False
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            # Only if it still is as it was seen: another may have been quicker.
            unchanged = relay.c.holder.is_not_distinct_from(seen.holder), relay.c.lease_until == seen.lease_until
            taken = update(relay).where(*unchanged).values(**_lease(holder, now + round(seconds * 1e6)))
            return connection.execute(taken).rowcount > 0

    def release(self, holder: Holder) -> None:
        """Leave the lease to others, where it is this holder's."""
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(update(relay).where(relay.c.holder == holder.name).values(**_lease(None, 0)))

    # What the relay does

    def due(self, limit: int) -> tuple[OutboxItem, ...]:
        """What may be sent now, longest due first."""
        with self._database.transaction() as connection:
            rows = connection.execute(_DUE, {"now": to_micros(self._clock()), "most": limit})
            return tuple([OutboxItem(row[0], row[1], row[2], from_micros(row[3])) for row in rows])

    def bodies(self, items: Sequence[OutboxItem], most: int) -> dict[int, bytes]:
        """By execution_id, the encoded records of those that have at most `most` bytes and are undamaged."""
        with self._database.transaction() as connection:
            return small_bodies(connection, [item.execution_id for item in items], most)

    def delivered(self, marks: Sequence[DeliveryMark]) -> None:
        """Note deliveries. Idempotent."""
        if not marks:
            return
        with self._writing() as connection:
            connection.exec_driver_sql(_SENT, (json.dumps([mark.execution_id for mark in marks]),))
            rows = [
                (m.execution_id, to_micros(m.at), m.attempts, m.request_charge, m.activity_id, m.parts) for m in marks
            ]
            connection.exec_driver_sql(_ADD_DELIVERY, rows)
            connection.execute(update(relay).values(last_success_at=max(to_micros(mark.at) for mark in marks)))

    def postpone(self, items: Sequence[Postponed]) -> None:
        """Note attempts in vain, and when to try again."""
        if not items:
            return
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            for item in items:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.execution_id == item.execution_id, outbox.c.state == _PENDING)
                    .values(attempts=outbox.c.attempts + 1, due_at=to_micros(item.due_at), error=spoken(item.error))
                )
            self._note(connection, items[-1].error)

    def bury(self, items: Sequence[Buried]) -> None:
        """Set aside what can never be sent; it stays in the mirror, and may be sent again by `resend`."""
        if not items:
            return
        with self._writing() as connection:
            for item in items:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.execution_id == item.execution_id)
                    .values(
                        state=_DEAD,
                        attempts=outbox.c.attempts + 1,
                        due_at=to_micros(self._clock()),
                        status=item.status,
                        error=spoken(item.error),
                    )
                )
            self._note(connection, items[-1].error)

    def hurry(self) -> None:
        """Have everything that was put off sent now: what stood in the way is gone."""
        now = to_micros(self._clock())
        later = outbox.c.state == _PENDING, outbox.c.due_at > now
        with self._database.transaction() as connection:
            if connection.execute(select(outbox.c.execution_id).where(*later).limit(1)).first() is None:
                return
        with self._database.transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(update(outbox).where(*later).values(due_at=now))

    def pause(self, sentence: str | None) -> None:
        """Say what a person has to mend before anything can be sent; None where it goes again."""
        with self._writing() as connection:
            connection.execute(update(relay).values(paused=sentence and spoken(sentence)))

    # How it stands

    def pending(self) -> int:
        """How many failures wait to be sent; dead letters are not among them."""
        with self._database.transaction() as connection:
            return int(connection.execute(_COUNT, {"which": _PENDING}).scalar_one())

    def is_pending(self, any_id: str) -> bool:
        """Whether a failure is known not to be in Cosmos DB: it waits to be sent, or is a dead letter."""
        return self._row_of(_IN_OUTBOX, any_id) is not None

    def delivery(self, any_id: str) -> Delivery | None:
        """How a failure came into Cosmos DB; None where it is not known to be there."""
        row = self._row_of(_IN_STORE, any_id)
        if row is None:
            return None
        return Delivery(from_micros(row.delivered_at), row.attempts, row.request_charge, row.activity_id, row.parts)

    def delivered_since(self, moment: datetime) -> int:
        """How many failures were sent since; those that a sync brought are not among them."""
        since = delivery.c.delivered_at >= to_micros(moment), delivery.c.attempts > 0
        with self._database.transaction() as connection:
            return int(connection.execute(select(func.count()).select_from(delivery).where(*since)).scalar_one())

    def paused(self) -> str | None:
        """What a person has to mend before anything is delivered; None while it goes by itself."""
        with self._database.transaction() as connection:
            paused: str | None = connection.execute(select(relay.c.paused)).scalar_one()
            return paused

    def status(self) -> RelayStatus:
        """Everything about the delivery in short."""
        now = to_micros(self._clock())
        with self._database.transaction() as connection:
            relayed = connection.execute(select(relay)).one()
            pending = connection.execute(_COUNT, {"which": _PENDING}).scalar_one()
            dead = connection.execute(_COUNT, {"which": _DEAD}).scalar_one()
            oldest = connection.exec_driver_sql(_OLDEST).scalar()
            hour = connection.execute(_of_the_hour(now)).one()
            lag = connection.execute(_lag_of_the_hour(now)).scalar_one()
        held = relayed.holder is not None and relayed.lease_until > now
        return RelayStatus(
            pending=pending,
            oldest_pending_at=_moment(oldest),
            dead=dead,
            lag_ms=None if lag is None else lag / 1000,
            delivered_last_hour=hour.delivered,
            request_units_last_hour=hour.charge or 0.0,
            attempts_last_hour=hour.attempts or 0,
            last_success_at=_moment(relayed.last_success_at),
            last_error=relayed.last_error,
            last_error_at=_moment(relayed.last_error_at),
            paused=relayed.paused,
            holder=_holder(relayed) if held else None,
            lease_until=from_micros(relayed.lease_until) if held else None,
        )

    # For people

    def dead_letters(self, limit: int = 50, after: str | None = None) -> Page[DeadLetter]:
        """A page of what can never be sent, newest first. Raises InputError for a bad cursor or limit."""
        key = outbox.c.due_at, outbox.c.execution_id
        statement = (
            select(outbox, execution)
            .join_from(outbox, execution, execution.c.id == outbox.c.execution_id)
            .where(outbox.c.state == _DEAD)
            .order_by(*[column.desc() for column in key])
            .limit(cursor.check_limit(limit) + 1)
        )
        if after is not None:
            moment, number = cursor.decode(after)
            statement = statement.where(or_(key[0] < moment, and_(key[0] == literal(moment), key[1] < literal(number))))
        with self._database.transaction() as connection:
            rows = connection.execute(statement).all()
            total = connection.execute(_COUNT, {"which": _DEAD}).scalar_one()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            rows=tuple([_dead_letter(row) for row in rows[:limit]]),
            total=total,
            after=cursor.encode(last.due_at, last.execution_id) if last else None,
        )

    def resend(self, failure_ids: Sequence[str] | None = None) -> int:
        """Have dead letters sent once more, these or all; gives how many."""
        chosen = [outbox.c.state == _DEAD]
        if failure_ids is not None:
            wanted = func.json_each(json.dumps(list(failure_ids))).table_valued("value")
            ids = select(execution.c.id).where(execution.c.failure_id.in_(select(wanted.c.value)))
            chosen.append(outbox.c.execution_id.in_(ids))
        now = to_micros(self._clock())
        with self._writing() as connection:
            again = update(outbox).where(*chosen).values(state=_PENDING, due_at=now, status=None)
            return connection.execute(again).rowcount

    def undelivered(self) -> int:
        """How many failures were never meant for Cosmos DB: stored while the memory store was used."""
        with self._database.transaction() as connection:
            return int(connection.execute(select(func.count()).select_from(execution).where(_NEVER_SENT)).scalar_one())

    def enqueue_undelivered(self) -> int:
        """Have those sent too; gives how many."""
        now = to_micros(self._clock())
        values = select(execution.c.id, literal(_PENDING), literal(now), literal(now), literal(0)).where(_NEVER_SENT)
        columns = ["execution_id", "state", "added_at", "due_at", "attempts"]
        with self._writing() as connection:
            return connection.execute(insert(outbox).from_select(columns, values)).rowcount

    def _row_of(self, statement: Select[Any], any_id: str) -> Row[Any] | None:
        if not speakable(any_id):
            return None
        with self._database.transaction() as connection:
            return connection.execute(statement.where(_NAMED), {"any_id": any_id}).first()

    def _note(self, connection: Connection, error: str) -> None:
        connection.execute(update(relay).values(last_error=spoken(error), last_error_at=to_micros(self._clock())))

    def _writing(self) -> AbstractContextManager[Connection]:
        """A write that pages want to see; a lease's renewal is none."""
        return counted(self._database, to_micros(self._clock()))


def _free_for(holder: Holder, seen: Row[Any], now: int) -> bool:
    ran_out = seen.lease_until <= now or seen.lease_until > now + _ABSURD
    return seen.holder is None or seen.holder == holder.name or ran_out


def _lease(holder: Holder | None, until: int) -> dict[str, Any]:
    return {
        "holder": holder.name if holder else None,
        "holder_pid": holder.pid if holder else None,
        "holder_host": holder.host if holder else None,
        "lease_until": until,
    }


def _holder(row: Row[Any]) -> Holder:
    return Holder(row.holder, row.holder_pid, row.holder_host)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _of_the_hour(now: int) -> Any:
    return (
        select(
            func.count().label("delivered"),
            func.sum(delivery.c.request_charge).label("charge"),
            func.sum(delivery.c.attempts).label("attempts"),
        )
        .select_from(delivery)
        .where(delivery.c.delivered_at >= now - HOUR, delivery.c.attempts > 0)
    )


def _lag_of_the_hour(now: int) -> Any:
    """Of the newest alone: each is a look at another table."""
    newest = (
        select((delivery.c.delivered_at - execution.c.stored_at).label("lag"))
        .join_from(delivery, execution, execution.c.id == delivery.c.execution_id)
        .where(delivery.c.delivered_at >= now - HOUR, delivery.c.attempts > 0)
        .order_by(delivery.c.delivered_at.desc())
        .limit(_LAG_OF)
        .subquery()
    )
    return select(func.avg(newest.c.lag))


def _dead_letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        failure_id=row.failure_id,
        subject=row.subject,
        failure_type=FailureType(row.failure_type),
        message=row.message,
        status=row.status,
        error=row.error or "",
        attempts=row.attempts,
        added_at=from_micros(row.added_at),
        buried_at=from_micros(row.due_at),
    )

"""What other machines wrote to Cosmos DB comes in whole, once, and with how far that was read."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settable_clock import Clock
from support.records import NOON, failure_id_of, item, make_record

from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.mirror import inbox as inbox_module
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Delivery, FailureFilter, InboxState, UnreadableItem

HERE, ELSEWHERE = "https://a.example/db/traces", "https://b.example/db/traces"
TS = int(NOON.timestamp())


def arrival(number: int, ts: int = TS) -> tuple[TraceRecord, bytes, int]:
    record, body = item(make_record(number=number))
    return record, body, ts


def impostor(number: int, failure_number: int) -> tuple[TraceRecord, bytes, int]:
    """A record under the failure_id of another."""
    record = make_record(number=number)
    assert record.failure is not None
    failure_id = failure_id_of(failure_number)
    record = record.model_copy(
        update={"failure_id": failure_id, "failure": record.failure.model_copy(update={"failure_id": failure_id})}
    )
    return record, encode_record(record), TS


def test_what_came_is_there_with_its_watermark(timed_mirror: Mirror, clock: Clock) -> None:
    """Found, listed, counted, searched like any other; nothing of it is to be sent; a delivery without attempts."""
    inbox = timed_mirror.inbox
    assert inbox.state(HERE) == InboxState(None, None, None)
    at = clock.add(hours=1)

    assert inbox.take(HERE, [arrival(1), arrival(2, TS + 5)], watermark=TS + 5) == 2

    assert timed_mirror.record(failure_id_of(1)) == arrival(1)[1]
    assert timed_mirror.failures(FailureFilter(text="order")).total == timed_mirror.overview().failures == 2
    assert timed_mirror.outbox.pending() == timed_mirror.outbox.undelivered() == 0
    assert timed_mirror.outbox.delivery(failure_id_of(2)) == Delivery(NOON + timedelta(seconds=5), 0, 0.0, "", 0)
    assert timed_mirror.outbox.delivered_since(NOON) == 0
    assert inbox.state(HERE) == InboxState(TS + 5, at, None)
    assert inbox.watermark(HERE) == TS + 5
    assert inbox.watermark(ELSEWHERE) is None


def test_the_watermark_never_goes_back(timed_mirror: Mirror) -> None:
    """A page that is read again, late, takes nothing back."""
    timed_mirror.inbox.take(HERE, [], watermark=50)
    timed_mirror.inbox.take(HERE, [arrival(1)], watermark=20)
    timed_mirror.inbox.take(ELSEWHERE, [], watermark=7)

    assert timed_mirror.inbox.watermark(HERE) == 50
    assert timed_mirror.inbox.watermark(ELSEWHERE) == 7


def test_only_what_is_missing_is_asked_for(timed_mirror: Mirror) -> None:
    """Of any ids, those that the mirror does not hold; hostile text is just another unknown."""
    timed_mirror.write([item(make_record(number=1))])
    odd = ["", "'", "\ud800", "x" * 5000, failure_id_of(2)]

    assert timed_mirror.inbox.unknown([failure_id_of(1), *odd]) == set(odd)
    assert timed_mirror.inbox.unknown([]) == set()


def test_what_we_sent_ourselves_is_known(timed_mirror: Mirror) -> None:
    """Our own failure comes back before its delivery was marked: it goes on waiting, and is marked by the relay."""
    timed_mirror.write([item(make_record(number=1))], outbox=True)
    before = (timed_mirror.overview(), timed_mirror.failures())

    assert timed_mirror.inbox.take(HERE, [arrival(1)], watermark=TS) == 0

    assert timed_mirror.outbox.is_pending(failure_id_of(1))
    assert timed_mirror.outbox.delivery(failure_id_of(1)) is None
    assert (timed_mirror.overview(), timed_mirror.failures()) == before


def test_what_was_recorded_for_memory_and_is_in_the_store_needs_no_sending(timed_mirror: Mirror) -> None:
    """A failure that is known here and met in the container counts as delivered."""
    timed_mirror.write([item(make_record(number=1))])
    timed_mirror.inbox.take(HERE, [arrival(1)], watermark=TS)

    assert timed_mirror.outbox.undelivered() == 0
    assert timed_mirror.inbox.take(HERE, [arrival(1)], watermark=TS) == 0


def test_a_record_that_does_not_fit_is_set_aside(timed_mirror: Mirror) -> None:
    """Ids that name another execution here, or in the same batch: kept as unreadable, and the others are taken."""
    timed_mirror.write([item(make_record(number=1)), item(make_record(None, number=2))])
    known = timed_mirror.record(failure_id_of(1))
    thief, twin, passed_here = impostor(10, 1), impostor(11, 5), arrival(2)
    other_trace = impostor(1, 30)

    taken = timed_mirror.inbox.take(HERE, [thief, arrival(5), twin, passed_here, other_trace, arrival(6)], watermark=TS)

    assert taken == 2
    assert timed_mirror.record(failure_id_of(1)) == known
    assert {item.id: item.body for item in timed_mirror.inbox.unreadable(HERE)} == {
        failure_id_of(1): thief[1],
        failure_id_of(5): twin[1],
        failure_id_of(2): passed_here[1],
        failure_id_of(30): other_trace[1],
    }
    assert timed_mirror.inbox.unreadable(HERE)[0].reason.startswith("Its trace_id or failure_id names another")


def test_a_record_that_passed_is_set_aside(timed_mirror: Mirror) -> None:
    """No program of ours stores one; taken in, it would have this mirror drop its own passed records."""
    timed_mirror.write([item(make_record(None, number=1))])
    record, body = item(make_record(None, number=2))

    assert timed_mirror.inbox.take(HERE, [(record, body, TS)], watermark=TS) == 0

    assert timed_mirror.record(f"{1:032x}") is not None
    assert timed_mirror.inbox.unreadable(HERE) == (
        UnreadableItem(f"{2:032x}", TS, "It is the record of an execution that passed.", body),
    )


def test_unreadable_items_are_kept_as_they_are(timed_mirror: Mirror) -> None:
    """By container, newest first, the last telling of each; gone when they can be read."""
    inbox = timed_mirror.inbox
    old = UnreadableItem("old", 5, "It is no record.", b"\x00{}\xff")
    new = UnreadableItem("it's new", 9, "It is of a newer failtrace.", b"{}")

    inbox.take(HERE, [], watermark=9, unreadable=[old, new])
    inbox.take(HERE, [], watermark=9, unreadable=[new])
    inbox.take(ELSEWHERE, [], watermark=9, unreadable=[UnreadableItem("old", 6, "theirs", b"")])

    assert inbox.unreadable(HERE) == (new, old)
    assert inbox.unreadable(HERE, limit=1) == (new,)
    assert inbox.told_unreadable(HERE, ["old", "other"]) == {"old": 5}
    inbox.forget(HERE, ["it's new"])
    assert inbox.unreadable(HERE) == (old,)
    assert (inbox.count_unreadable(HERE), inbox.count_unreadable(ELSEWHERE)) == (1, 1)


def test_hostile_ids_and_reasons_are_no_crash(timed_mirror: Mirror) -> None:
    """Lone surrogates of somebody else's item are kept as marks, and it can be forgotten by the id it has."""
    inbox = timed_mirror.inbox
    inbox.take(HERE, [], watermark=1, unreadable=[UnreadableItem("\ud800", 1, "no \udfff", b"{}")])

    assert inbox.unreadable(HERE) == (UnreadableItem("\ufffd", 1, "no \ufffd", b"{}"),)
    assert inbox.told_unreadable(HERE, ["\ud800"]) == {"\ufffd": 1}
    inbox.forget(HERE, ["\ud800"])
    assert inbox.count_unreadable(HERE) == 0


def test_an_error_is_told_until_it_is_over(timed_mirror: Mirror, clock: Clock) -> None:
    """How a sync ended, well or not, changes neither watermark nor, where it did not, the time of the last one."""
    inbox = timed_mirror.inbox
    inbox.note(HERE, "It could not be reached.")
    assert inbox.state(HERE) == InboxState(None, None, "It could not be reached.")

    inbox.take(HERE, [], watermark=3)
    inbox.note(HERE, "It is busy \ud800.")
    at = clock.add(minutes=1)
    assert inbox.state(HERE) == InboxState(3, NOON, "It is busy \ufffd.")

    inbox.note(HERE, None)
    assert inbox.state(HERE) == InboxState(3, at, None)


def test_records_and_watermark_come_together_or_not_at_all(
    timed_mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails in the middle leaves neither, so that the next sync reads the same again."""

    # A full disk at this very statement cannot be had otherwise.
    def fails(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(inbox_module, "_file_unreadable", fails)
    with pytest.raises(OSError, match="disk"):
        timed_mirror.inbox.take(HERE, [arrival(1)], watermark=TS)

    assert timed_mirror.inbox.watermark(HERE) is None
    assert timed_mirror.failures().total == 0


@given(
    batches=st.lists(
        st.tuples(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=6), st.integers(0, 100)),
        max_size=5,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_taking_again_changes_nothing(tmp_path: Path, batches: list[tuple[list[tuple[int, int]], int]]) -> None:
    """Any batches, twins and thieves among them, taken once, then all again: the file's tables are as they were."""
    path = tmp_path / str(uuid4())
    taken = [([impostor(*pair) for pair in pairs], watermark) for pairs, watermark in batches]
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        for arrivals, watermark in taken:
            mirror.inbox.take(HERE, arrivals, watermark=watermark)
        before = dump(path)
        for arrivals, watermark in taken:
            assert mirror.inbox.take(HERE, arrivals, watermark=watermark) == 0
        assert dump(path) == before

        arrived = {record.failure_id for arrivals, _ in taken for record, _, _ in arrivals}
        assert {row.failure_id for row in mirror.failures().rows} <= arrived
        assert mirror.inbox.unknown([number for number in arrived if number]) <= {
            unreadable.id for unreadable in mirror.inbox.unreadable(HERE, limit=100)
        }
        assert mirror.inbox.watermark(HERE) == max([mark for _, mark in taken], default=None)


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = ("execution", "body", "timeline", "rollup", "tally", "outbox", "delivery", "inbox", "unreadable")
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall() for name in tables}

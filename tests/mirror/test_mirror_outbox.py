"""What is on its way to Cosmos DB: put there with its record, and gone from there only when it arrived."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from settable_clock import Clock
from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.errors import InputError, StoreError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Buried, DeadLetter, Delivery, DeliveryMark, OutboxItem, Postponed

NOBODY = timedelta(0)


def mark(sent: OutboxItem, at: timedelta = NOBODY, charge: float = 6.5, attempts: int = 1) -> DeliveryMark:
    return DeliveryMark(sent.execution_id, NOON + at, charge, "activity", 0, attempts)


def numbers(items: tuple[OutboxItem, ...]) -> list[int]:
    """What `make_record(number=...)` was given for these."""
    return [int(waiting.failure_id[-12:], 16) for waiting in items]


def fill(mirror: Mirror, *wanted: int) -> tuple[OutboxItem, ...]:
    mirror.write([item(make_record(number=number)) for number in wanted], outbox=True)
    return mirror.outbox.due(100)


def test_failures_go_into_the_outbox_with_their_record(timed_mirror: Mirror) -> None:
    """Only failures, only those that are new, only where it is asked for; due at once, in the order of writing."""
    mirror = timed_mirror
    mirror.write([item(make_record(number=9))])

    mirror.write([item(make_record(number=n)) for n in (9, 3, 1, 1)] + [item(make_record(None, number=2))], outbox=True)

    assert numbers(mirror.outbox.due(10)) == [3, 1]
    assert mirror.outbox.due(1) == (OutboxItem(2, failure_id_of(3), 0, NOON),)
    assert mirror.outbox.pending() == 2
    assert [mirror.outbox.is_pending(failure_id_of(n)) for n in (9, 3, 2)] == [False, True, False]
    assert mirror.outbox.is_pending(f"{3:032x}")


def test_a_write_that_fails_leaves_nothing_to_send(timed_mirror: Mirror) -> None:
    """Record and outbox row share a transaction: a batch that is refused is in neither."""
    fill(timed_mirror, 1)
    thief = make_record(number=2)
    assert thief.failure is not None
    failure = thief.failure.model_copy(update={"failure_id": failure_id_of(1)})
    thief = thief.model_copy(update={"failure": failure, "failure_id": failure_id_of(1)})

    with pytest.raises(StoreError, match="already names another execution"):
        timed_mirror.write([item(make_record(number=3)), item(thief)], outbox=True)

    assert numbers(timed_mirror.outbox.due(10)) == [1]


def test_a_delivery_is_noted_once(timed_mirror: Mirror) -> None:
    """It leaves the outbox, says what it cost, and a second telling changes nothing."""
    first, second = fill(timed_mirror, 1, 2)

    timed_mirror.outbox.delivered([mark(first)])
    timed_mirror.outbox.delivered([mark(first, timedelta(hours=1), charge=99.0)])
    timed_mirror.outbox.delivered([])

    assert timed_mirror.outbox.due(10) == (second,)
    assert timed_mirror.outbox.delivery(failure_id_of(1)) == Delivery(NOON, 1, 6.5, "activity", 0)
    assert timed_mirror.outbox.delivery(f"{1:032x}") == timed_mirror.outbox.delivery(failure_id_of(1))
    assert timed_mirror.outbox.delivery(failure_id_of(2)) is None
    assert not timed_mirror.outbox.is_pending(failure_id_of(1))
    assert timed_mirror.outbox.delivered_since(NOON) == 1
    assert timed_mirror.outbox.delivered_since(NOON + timedelta(seconds=1)) == 0


def test_a_large_batch_is_one_call(timed_mirror: Mirror) -> None:
    """More deliveries than SQLite takes parameters."""
    fill(timed_mirror, 1)

    timed_mirror.outbox.delivered([DeliveryMark(n, NOON, 1.0, "", 0, 1) for n in range(1, 300_001)])

    assert timed_mirror.outbox.pending() == 0


def test_what_was_postponed_waits_for_its_time(timed_mirror: Mirror, clock: Clock) -> None:
    """Attempts count up, the reason is kept, and it is due again, after those that were due before."""
    first, _ = fill(timed_mirror, 1, 2)
    outbox = timed_mirror.outbox

    outbox.postpone([Postponed(first.execution_id, NOON + timedelta(minutes=1), "Cosmos DB is busy.")])
    early = outbox.due(10)
    clock.add(minutes=1)

    assert numbers(early) == [2]
    assert [(waiting.failure_id, waiting.attempts) for waiting in outbox.due(10)] == [
        (failure_id_of(2), 0),
        (failure_id_of(1), 1),
    ]
    status = outbox.status()
    assert (status.last_error, status.last_error_at, status.pending) == ("Cosmos DB is busy.", NOON, 2)
    outbox.delivered([mark(first)])
    outbox.postpone([Postponed(first.execution_id, NOON, "late news of what has arrived")])
    assert numbers(outbox.due(10)) == [2]


def test_after_an_outage_all_is_due_at_once(timed_mirror: Mirror) -> None:
    """What was put off for hours goes as soon as somebody knows that it can."""
    outbox = timed_mirror.outbox
    outbox.postpone(
        [Postponed(waiting.execution_id, NOON + timedelta(hours=3), "down") for waiting in fill(timed_mirror, 1, 2)]
    )
    assert outbox.due(10) == ()

    outbox.hurry()
    version = timed_mirror.data_version()
    outbox.hurry()

    assert numbers(outbox.due(10)) == [1, 2]
    assert timed_mirror.data_version() == version


def test_a_dead_letter_can_be_seen_and_sent_again(timed_mirror: Mirror, clock: Clock) -> None:
    """It is not due, it is listed with its reason, it may be sent again, and may then arrive."""
    outbox = timed_mirror.outbox
    poison, other = fill(timed_mirror, 1, 2)
    buried_at = clock.add(minutes=5)

    outbox.bury([Buried(poison.execution_id, 413, "It is too large.")])

    assert outbox.due(10) == (other,)
    assert outbox.is_pending(failure_id_of(1))
    assert (outbox.pending(), outbox.status().dead) == (1, 1)
    letter = DeadLetter(
        failure_id=failure_id_of(1),
        subject="answer",
        failure_type=FailureType.EXCEPTION,
        message="ValueError: no such order",
        status=413,
        error="It is too large.",
        attempts=1,
        added_at=NOON,
        buried_at=buried_at,
    )
    assert outbox.dead_letters().rows == (letter,)
    assert outbox.resend(["none such", "\ud800"]) == 0
    assert outbox.resend([failure_id_of(1), failure_id_of(2)]) == 1
    assert numbers(outbox.due(10)) == [2, 1]
    outbox.bury([Buried(poison.execution_id, None, "no answer")])
    assert outbox.dead_letters().rows[0].attempts == 2
    assert outbox.resend() == 1
    outbox.delivered([mark(poison, attempts=3)])
    assert outbox.dead_letters().rows == ()
    assert outbox.delivery(failure_id_of(1)) == Delivery(NOON, 3, 6.5, "activity", 0)


def test_dead_letters_are_listed_newest_first(timed_mirror: Mirror, clock: Clock) -> None:
    """Pages put together are all of them, those of the same moment included."""
    for n, waiting in enumerate(fill(timed_mirror, *range(1, 8))):
        timed_mirror.outbox.bury([Buried(waiting.execution_id, 400, "bad")])
        clock.add(seconds=n % 2)

    seen, after = [], None
    while True:
        page = timed_mirror.outbox.dead_letters(limit=3, after=after)
        seen += [int(letter.failure_id[-12:], 16) for letter in page.rows]
        assert page.total == 7
        after = page.after
        if after is None:
            break

    assert seen == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(InputError, match="cannot be found"):
        timed_mirror.outbox.dead_letters(after="x")
    with pytest.raises(InputError, match="cannot have 0 rows"):
        timed_mirror.outbox.dead_letters(limit=0)


def test_the_status_is_that_of_the_last_hour(timed_mirror: Mirror, clock: Clock) -> None:
    """Sums and mean over what was sent within it; what a sync brought is no delivery of ours."""
    outbox = timed_mirror.outbox
    empty = outbox.status()
    one, two, three, _ = fill(timed_mirror, 1, 2, 3, 4)
    outbox.delivered([mark(one, timedelta(seconds=2)), mark(two, timedelta(minutes=90), charge=10.0, attempts=3)])
    outbox.delivered([mark(three, timedelta(minutes=120), charge=20.5)])
    synced, body = item(make_record(number=50))
    timed_mirror.inbox.take("c", [(synced, body, int(NOON.timestamp()) + 7200)], watermark=1)
    clock.add(hours=2)

    status = outbox.status()

    assert (empty.pending, empty.dead, empty.oldest_pending_at, empty.lag_ms, empty.delivered_last_hour) == (
        0,
        0,
        None,
        None,
        0,
    )
    assert (status.delivered_last_hour, status.request_units_last_hour, status.attempts_last_hour) == (2, 30.5, 4)
    assert status.lag_ms == timedelta(minutes=105) / timedelta(milliseconds=1)
    assert (status.pending, status.oldest_pending_at) == (1, NOON)
    assert status.last_success_at == NOON + timedelta(hours=2)
    assert (status.holder, status.lease_until, status.paused) == (None, None, None)


def test_a_pause_says_what_to_mend(timed_mirror: Mirror) -> None:
    """Until it is lifted, and in any text that a server may have said."""
    timed_mirror.outbox.pause("COSMOS_KEY was refused\ud800; set it anew.")
    assert timed_mirror.outbox.status().paused == "COSMOS_KEY was refused\ufffd; set it anew."

    timed_mirror.outbox.pause(None)
    assert timed_mirror.outbox.status().paused is None


def test_hostile_text_is_no_crash(timed_mirror: Mirror) -> None:
    """Lone surrogates in what a server said, and in an id that a person gave."""
    (waiting,) = fill(timed_mirror, 1)
    outbox = timed_mirror.outbox

    outbox.postpone([Postponed(waiting.execution_id, NOON, "\udfff")])
    outbox.bury([Buried(waiting.execution_id, 400, "it's \udfff\x00")])

    assert outbox.dead_letters().rows[0].error == "it's \ufffd\x00"
    assert not outbox.is_pending("\ud800")
    assert outbox.delivery("\ud800") is None


def test_failures_of_the_memory_store_can_be_sent_later(timed_mirror: Mirror) -> None:
    """Recorded without an outbox row, they are counted, and enqueued once."""
    timed_mirror.write([item(make_record(number=1)), item(make_record(None, number=2)), item(make_record(number=3))])
    (waiting,) = fill(timed_mirror, 4)
    timed_mirror.outbox.delivered([mark(waiting)])
    outbox = timed_mirror.outbox

    assert (outbox.undelivered(), outbox.pending()) == (2, 0)
    assert outbox.enqueue_undelivered() == 2
    assert outbox.enqueue_undelivered() == outbox.undelivered() == 0
    assert numbers(outbox.due(10)) == [1, 3]


def test_pages_see_what_matters_to_them(timed_mirror: Mirror) -> None:
    """Deliveries, dead letters and pauses raise the data version; what is due again does not."""
    one, two = fill(timed_mirror, 1, 2)
    outbox, seen = timed_mirror.outbox, [timed_mirror.data_version()]
    for change in (
        lambda: outbox.delivered([mark(one)]),
        lambda: outbox.bury([Buried(two.execution_id, 400, "bad")]),
        lambda: outbox.resend(),
        lambda: outbox.pause("mend it"),
    ):
        change()
        seen.append(timed_mirror.data_version())
    outbox.postpone([Postponed(two.execution_id, NOON, "busy")])

    assert seen == sorted(set(seen))
    assert timed_mirror.data_version() == seen[-1]


WRITE_AND_DELIVER_UNTIL_KILLED = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from support.records import NOON, item, make_record
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import DeliveryMark
mirror = Mirror.open(Path(sys.argv[1]))
number = mirror.overview().executions
while True:
    number += mirror.write([item(make_record(number=number + k + 1)) for k in range(3)], outbox=True)
    mirror.outbox.delivered([DeliveryMark(w.execution_id, NOON, 1.0, "", 0, 1) for w in mirror.outbox.due(2)])
    print(number, flush=True)
"""


def test_kill_9_leaves_each_failure_in_one_place(path: Path) -> None:
    """Killed at any moment, every failure that is stored either waits or has arrived: never both, never neither."""
    root = Path(__file__).parents[2]
    for lines in range(1, 6):
        command = [sys.executable, "-c", WRITE_AND_DELIVER_UNTIL_KILLED, str(path), str(root), str(root / "tests")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().split())])

    with closing(sqlite3.connect(path)) as rows:
        places = rows.execute(
            "SELECT (SELECT count(*) FROM outbox WHERE execution_id = id)"
            " + (SELECT count(*) FROM delivery WHERE execution_id = id) FROM execution"
        ).fetchall()
    assert set(places) == {(1,)}
    assert len(places) >= acknowledged

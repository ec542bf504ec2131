"""The relay's own ways: what it does when the unforeseen happens, and that it never ends by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.records import failure_id_of, item, make_record

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Postponed
from failtrace.storage.cosmos.delivery import CosmosFault, Delivered, FaultKind
from failtrace.storage.gate import IN_VAIN
from failtrace.storage.relay import PROBE_S, Relay, _delay

Send = Callable[[str, bytes], Delivered]
DONE = Delivered(request_charge=1.5, activity_id="a", parts=0)


class Sender:
    """In place of Cosmos DB, since the bookkeeping is what is tested: test_delivery.py has the real one."""

    def __init__(self, send: Send) -> None:
        self.send = send


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(tmp_path / "mirror.sqlite") as opened:
        yield opened


@pytest.fixture
def relaying(mirror: Mirror) -> Iterator[Callable[[Send], Relay]]:
    started: list[Relay] = []

    def start(send: Send) -> Relay:
        started.append(Relay(mirror, Sender(send)))
        started[-1].start()
        return started[-1]

    yield start
    for relay in started:
        relay.stop(5.0)


def put(mirror: Mirror, *numbers: int) -> None:
    mirror.write([item(make_record(number=number)) for number in numbers], outbox=True)


def until(condition: Callable[[], object]) -> None:
    waiting = threading.Event()
    for _ in range(1500):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError("it did not come about in 30 s")


def test_an_unforeseen_error_drops_nothing(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """A bug of ours in sending one record leaves it pending, visibly, and the others go out."""
    broken = threading.Event()
    broken.set()

    def send(failure_id: str, _: bytes) -> Delivered:
        if failure_id == failure_id_of(1) and broken.is_set():
            raise RuntimeError("a bug")
        return DONE

    put(mirror, 1, 2, 3)
    relaying(send)

    until(lambda: mirror.outbox.pending() == 1)
    until(lambda: "please report" in str(mirror.outbox.status().last_error))
    broken.clear()
    until(lambda: mirror.outbox.pending() == 0)


def test_a_thread_that_cannot_be_had_strands_no_record(
    mirror: Mirror, relaying: Callable[[Send], Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system gives no thread to send with, what was to be sent goes out as soon as it does."""
    start, refused = threading.Thread.start, [threading.Event(), threading.Event()]

    def scarce(thread: threading.Thread) -> None:
        if thread.name.startswith("failtrace-send") and not all(event.is_set() for event in refused):
            next(event for event in refused if not event.is_set()).set()
            raise RuntimeError("can't start new thread")
        start(thread)

    # A real system that gives no thread would give none to pytest either.
    monkeypatch.setattr(threading.Thread, "start", scarce)
    put(mirror, 1, 2, 3)
    relaying(lambda _, __: DONE)

    until(lambda: mirror.outbox.pending() == 0)
    assert refused[-1].is_set()


def test_a_mirror_that_fails_for_a_while_ends_no_relay(
    mirror: Mirror, relaying: Callable[[Send], Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the books raise, a full disk or a bug, it tries again."""
    failed = threading.Event()
    due = mirror.outbox.due

    def once(limit: int) -> object:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("the books are closed")
        return due(limit)

    # The one way to have a real mirror fail once and then be well.
    monkeypatch.setattr(mirror.outbox, "due", once)
    put(mirror, 1)
    relaying(lambda _, __: DONE)

    until(lambda: mirror.outbox.pending() == 0)
    assert failed.is_set()


def test_a_damaged_record_becomes_a_dead_letter(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """Bytes that do not match their sha256 are sent to nobody; the others are."""
    put(mirror, 1, 2)
    with mirror._database.transaction("BEGIN IMMEDIATE") as connection:
        connection.exec_driver_sql("UPDATE body SET body = x'00' WHERE execution_id = 1")
    relaying(lambda _, __: DONE)

    until(lambda: mirror.outbox.status().dead == 1 and not mirror.outbox.pending())
    (letter,) = mirror.outbox.dead_letters().rows
    assert letter.failure_id == failure_id_of(1)
    assert "sha256" in letter.error


def test_what_it_took_is_kept_for_each_delivery(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """Request charge, activity id, parts, and the attempts in vain before it."""
    tries: list[int] = []

    def send(_: str, __: bytes) -> Delivered:
        tries.append(1)
        if len(tries) < 3:
            raise CosmosFault("unwell", FaultKind.TRANSIENT, status=503)
        return DONE

    put(mirror, 1)
    relaying(send)
    until(lambda: mirror.outbox.pending() == 0)

    delivery = mirror.outbox.delivery(failure_id_of(1))
    assert delivery is not None
    assert (delivery.attempts, delivery.request_charge, delivery.activity_id, delivery.parts) == (3, 1.5, "a", 0)


def test_two_relays_of_one_mirror_take_turns(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """One sends, the other stands by, and takes over when the first has stopped."""
    sent: list[str] = []
    first = relaying(lambda failure_id, _: (sent.append(f"first {failure_id}"), DONE)[1])
    put(mirror, 1)
    until(lambda: mirror.outbox.pending() == 0)
    relaying(lambda failure_id, _: (sent.append(f"second {failure_id}"), DONE)[1])
    put(mirror, 2)
    until(lambda: mirror.outbox.pending() == 0)
    first.stop(5.0)
    put(mirror, 3)
    until(lambda: mirror.outbox.pending() == 0)

    assert sent == [f"first {failure_id_of(1)}", f"first {failure_id_of(2)}", f"second {failure_id_of(3)}"]


def test_stopping_leaves_what_is_not_sent(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """A sender that hangs holds up nobody who stops; the lease is free and the record waits."""
    hold = threading.Event()

    def hang(_: str, __: bytes) -> Delivered:
        hold.wait(30)
        return DONE

    put(mirror, 1)
    relay = relaying(hang)
    until(lambda: mirror.outbox.status().holder)
    relay.stop(0.1)

    assert mirror.outbox.status().holder is None
    assert mirror.outbox.pending() == 1
    hold.set()


def test_stopping_marks_what_is_answered_in_time(
    mirror: Mirror, relaying: Callable[[Send], Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that is just being sent is waited for, so that nobody sends it twice; then the lease is free."""
    sending, leaving = threading.Event(), threading.Event()

    def send(_: str, __: bytes) -> Delivered:
        sending.set()
        leaving.wait(30)
        return DONE

    relay = relaying(send)
    leave = relay._leave
    # The answer has to come when the relay has begun to leave, and not before.
    monkeypatch.setattr(relay, "_leave", lambda workers: (leaving.set(), leave(workers)))
    put(mirror, 1)
    assert sending.wait(30)
    relay.stop(30.0)

    assert mirror.outbox.pending() == 0
    assert mirror.outbox.status().holder is None


def test_a_fresh_holder_tries_at_once_what_was_put_off(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """What an earlier one met may be mended since."""
    put(mirror, 1)
    (waiting,) = mirror.outbox.due(1)
    mirror.outbox.postpone([Postponed(waiting.execution_id, datetime.now(UTC) + timedelta(hours=1), "unwell")])
    relaying(lambda _, __: DONE)

    until(lambda: mirror.outbox.pending() == 0)


def test_the_end_of_an_outage_hurries_what_was_put_off(mirror: Mirror) -> None:
    """One success, and what Cosmos DB asked to wait an hour for goes out."""
    tried: set[str] = set()

    def send(failure_id: str, _: bytes) -> Delivered:
        if failure_id in tried:
            return DONE
        tried.add(failure_id)
        least_s = 3600.0 if failure_id == failure_id_of(1) else 0.0
        raise CosmosFault("unwell", FaultKind.TRANSIENT, status=503, retry_after_s=least_s)

    put(mirror, *range(1, IN_VAIN + 2))
    relay = Relay(mirror, Sender(send), senders=1)
    relay.start()

    until(lambda: mirror.outbox.pending() == 0)
    relay.stop(5.0)


def test_cosmos_db_is_given_the_time_that_it_asks_for(mirror: Mirror, relaying: Callable[[Send], Relay]) -> None:
    """Each record waits so long, and in an outage all do."""

    def send(_: str, __: bytes) -> Delivered:
        raise CosmosFault("throttled", FaultKind.TRANSIENT, status=429, retry_after_s=3600.0)

    put(mirror, *range(1, IN_VAIN + 1))
    relay = relaying(send)
    until(lambda: relay._gate.probing and mirror.outbox.status().last_error)

    assert relay._gate._opens_at - time.monotonic() > 3000
    with mirror._database.transaction() as connection:
        (due_at,) = connection.exec_driver_sql("SELECT min(due_at) FROM outbox").one()
    assert due_at / 1e6 - time.time() > 3000


def test_an_outage_takes_back_what_was_not_begun(mirror: Mirror) -> None:
    """What waits behind the record that met it stays untried, and goes out afterwards."""
    sent: list[str] = []
    well = threading.Event()

    def send(failure_id: str, _: bytes) -> Delivered:
        sent.append(failure_id)
        if len(sent) == 1:
            raise CosmosFault("refused", FaultKind.SETUP, status=401)
        well.wait(30)
        return DONE

    put(mirror, *range(1, 21))
    relay = Relay(mirror, Sender(send), senders=1)
    relay.start()

    until(lambda: len(sent) == 2 and len(relay._flying) == 1)
    well.set()
    until(lambda: mirror.outbox.pending() == 0)
    relay.stop(5.0)
    assert sorted(sent) == sorted([failure_id_of(1), *[failure_id_of(n) for n in range(1, 21)]])


@pytest.mark.parametrize(("status", "paused"), [(413, None), (None, "refused")], ids=["by Cosmos DB", "by us"])
def test_a_refusal_of_one_record_ends_a_pause(
    mirror: Mirror,
    relaying: Callable[[Send], Relay],
    monkeypatch: pytest.MonkeyPatch,
    status: int | None,
    paused: str | None,
) -> None:
    """Cosmos DB that says something about a record takes our requests; what we cannot send says nothing of it."""
    monkeypatch.setattr("failtrace.storage.relay.PROBE_S", 0.01)
    answers = iter([(FaultKind.SETUP, 401), (FaultKind.POISON, status)])

    def send(_: str, __: bytes) -> Delivered:
        kind, code = next(answers)
        raise CosmosFault("refused", kind, status=code)

    put(mirror, 1)
    relay = relaying(send)
    until(lambda: mirror.outbox.status().dead == 1)
    relay.stop(5.0)

    assert relay.paused == mirror.outbox.paused() == paused


def test_a_pause_tries_at_even_intervals(mirror: Mirror) -> None:
    """However often it was tried before: who mends the cause sees it move within seconds."""
    refused = CosmosFault("refused", FaultKind.SETUP, status=401)
    put(mirror, 1)
    (waiting,) = mirror.outbox.due(1)

    assert {_delay(replace(waiting, attempts=n), refused) for n in range(100)} == {timedelta(seconds=PROBE_S)}

"""The relay's own ways: what it does when the unforeseen happens, and that it never ends by itself."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.records import failure_id_of, item, make_record

from failtrace.mirror.mirror import Mirror
from failtrace.storage.cosmos.delivery import CosmosFault, Delivered, FaultKind
from failtrace.storage.relay import Relay

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
    relay.stop(5.0)

    assert mirror.outbox.status().holder is None
    assert mirror.outbox.pending() == 1
    hold.set()

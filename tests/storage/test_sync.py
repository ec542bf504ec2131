"""Failures of other machines come into this mirror, each once, and what cannot be read is kept as it is."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import Request, refusal
from support.records import failure_id_of, make_record

from failtrace.errors import StoreError
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.cosmos.delivery import CosmosFault
from failtrace.storage.sync import READERS, SyncReport
from failtrace.storage.trace_store import TraceStore

Machine = Callable[[str], TraceStore]


@pytest.fixture
def machine(cosmos: Cosmos, tmp_path: Path) -> Iterator[Machine]:
    """`machine("a")`: a store with a home of its own, on the one container."""
    opened: list[TraceStore] = []

    def start(name: str) -> TraceStore:
        opened.append(TraceStore.open("cosmos", settings=cosmos.settings(home=tmp_path / name)))
        return opened[-1]

    yield start
    for store in opened:
        store.close()


def ids(store: TraceStore) -> list[str | None]:
    return [row.failure_id for row in store.mirror.failures(limit=1000).rows]


def test_two_machines_agree(machine: Machine) -> None:
    """What each wrote is in both, in lists and counts and by the same bytes; nothing is sent back."""
    one, other = machine("one"), machine("other")
    one.store_traces([make_record(number=n) for n in range(1, 6)])
    other.store_traces([make_record(number=n) for n in range(6, 9)])
    for store in (one, other):
        assert store.flush(30).pending == 0

    assert one.sync() == SyncReport(received=3, unreadable=0)
    assert other.sync() == SyncReport(received=5, unreadable=0)

    assert sorted(map(str, ids(one))) == sorted(map(str, ids(other))) == [failure_id_of(n) for n in range(1, 9)]
    assert one.mirror.overview().by_type == other.mirror.overview().by_type
    for n in range(1, 9):
        assert one.mirror.record(failure_id_of(n)) == other.mirror.record(failure_id_of(n))
    assert one.mirror.outbox.pending() == other.mirror.outbox.pending() == 0
    assert one.mirror.outbox.undelivered() == other.mirror.outbox.undelivered() == 0


def test_a_second_sync_brings_nothing(machine: Machine, cosmos: Cosmos) -> None:
    """The overlap is looked at again; of what is known no body is read."""
    writer, reader = machine("writer"), machine("reader")
    writer.store_traces([make_record(number=n) for n in range(1, 4)])
    writer.flush(30)
    reader.sync()
    cosmos.proxy.log.clear()

    assert reader.sync() == SyncReport(received=0, unreadable=0)
    assert not cosmos.proxy.seen("read")


def test_a_new_machine_gets_everything(machine: Machine) -> None:
    """Large records in parts and odd numbers included."""
    writer = machine("writer")
    records = [make_record(number=1, input="x" * 2_000_000), make_record(number=2, input=[1.0, -0.0])]
    writer.store_traces(records)
    writer.flush(30)
    fresh = machine("fresh")

    assert fresh.sync().received == 2
    assert [fresh.mirror.record(failure_id_of(n)) for n in (1, 2)] == [
        writer.mirror.record(failure_id_of(n)) for n in (1, 2)
    ]


def test_a_foreign_item_is_shown_and_never_dropped(machine: Machine, cosmos: Cosmos) -> None:
    """Items of other programs, whatever their partition, are kept with the reason; they are not read again."""
    raw = cosmos.raw()
    raw.create_item({"id": "theirs", "failure_id": "theirs", "hello": 1})
    raw.create_item({"id": "other", "failure_id": 7, "hello": 2})
    raw.create_item({"id": "bare", "hello": 3})
    raw.create_item({"id": "newer", "failure_id": "newer", "kind": "failure", "schema_version": 99})
    store = machine("one")
    store.store_trace(make_record(number=1))
    store.flush(30)

    assert store.sync().unreadable == 4
    told = {item.id: item for item in store.mirror.inbox.unreadable(store.source)}
    assert set(told) == {"theirs", "other", "bare", "newer"}
    assert b'"hello": 1' in told["theirs"].body
    assert "schema_version 99" in told["newer"].reason
    assert store.sync().unreadable == 0
    assert store.mirror.inbox.count_unreadable(store.source) == 4


def test_what_became_readable_is_taken(machine: Machine, cosmos: Cosmos) -> None:
    """An item that was unreadable, as one of a newer failtrace is, comes in when it can be read."""
    writer, reader = machine("writer"), machine("reader")
    writer.store_trace(make_record(number=1))
    writer.flush(30)
    item = cosmos.raw().read_item(failure_id_of(1), failure_id_of(1))
    cosmos.raw().replace_item(item["id"], {**item, "schema_version": 99})
    assert reader.sync().unreadable == 1
    cosmos.raw().replace_item(item["id"], {**item, "schema_version": 1})

    assert reader.sync(retry_unreadable=True).received == 1
    assert reader.mirror.inbox.count_unreadable(reader.source) == 0
    assert reader.get_trace(failure_id_of(1)) == make_record(number=1)


def test_a_sync_that_fails_is_told_and_goes_on(machine: Machine, cosmos: Cosmos) -> None:
    """The fault is raised, kept for the Health page, and forgotten by the next good one."""
    writer, reader = machine("writer"), machine("reader")
    writer.store_trace(make_record(number=1))
    writer.flush(30)

    with (
        cosmos.proxy.failing(lambda request: refusal(503, "unwell") if request.is_item else None),
        pytest.raises(CosmosFault, match="503"),
    ):
        reader.sync()
    assert "503" in str(reader.mirror.inbox.state(reader.source).error)

    assert reader.sync().received == 1
    state = reader.mirror.inbox.state(reader.source)
    assert state.error is None
    assert state.synced_at is not None


def test_a_store_that_is_closed_during_a_sync_connects_no_more(machine: Machine, cosmos: Cosmos) -> None:
    """The sync ends where it is, with nothing left open, and no fault of Cosmos DB is noted."""
    writer, reader = machine("writer"), machine("reader")
    writer.store_traces([make_record(number=n) for n in range(1, 3 * READERS)])
    writer.flush(30)
    reading, closed = threading.Event(), threading.Event()
    raised: list[Exception] = []

    def hold(request: Request) -> None:
        if request.is_read:
            reading.set()
            closed.wait(30)

    def run() -> None:
        try:
            reader.sync()
        except StoreError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    with cosmos.proxy.failing(hold):
        thread.start()
        assert reading.wait(30)
        reader.close()
        closed.set()
        thread.join(60)

    assert not thread.is_alive()
    assert len(raised) == 1
    backend = reader.backend
    assert isinstance(backend, CosmosBackend)
    assert backend._connection._client is None
    again = machine("reader")
    assert again.mirror.inbox.state(again.source).error is None


def test_another_container_has_its_own_watermark(machine: Machine, cosmos: Cosmos, tmp_path: Path) -> None:
    """A changed setting starts from the beginning."""
    store = machine("one")
    store.store_trace(make_record(number=1))
    store.flush(30)
    store.sync()
    assert store.mirror.inbox.watermark(store.source)

    with TraceStore.open("cosmos", settings=cosmos.settings(home=tmp_path / "one", cosmos_container="b")) as later:
        assert later.mirror.inbox.watermark(later.source) is None
        assert later.source != store.source


def test_the_relay_brings_news_by_itself(machine: Machine) -> None:
    """With a relay that syncs at once, as the dashboard's, a failure of another machine shows up without a command."""
    writer, reader = machine("writer"), machine("reader")
    writer.store_trace(make_record(number=1))
    writer.flush(30)
    arrived = threading.Event()

    def look() -> None:
        while not arrived.wait(0.05):
            if reader.mirror.execution(make_record(number=1).trace_id):
                arrived.set()

    watcher = threading.Thread(target=look, daemon=True)
    reader.start_delivery(sync=True)
    watcher.start()
    assert arrived.wait(30)
    watcher.join()

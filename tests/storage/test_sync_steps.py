"""What a sync does item by item: what it takes, keeps and forgets, and where it goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.records import failure_id_of, item, make_record

from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import UnreadableRecord
from failtrace.mirror.mirror import Mirror
from failtrace.storage.cosmos.delivery import Change, CosmosFault, FaultKind
from failtrace.storage.sync import BATCH, OVERLAP_S, Sync, SyncReport

HERE = "a container"
TS = 1_000_000


class Origin:
    """In place of Cosmos DB, whose clock and failures are not ours to set: test_sync.py has the real one."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[int, bytes | None]] = {}
        """By id, the `_ts` and the record; None for an item that is none of ours."""
        self.since: list[int] = []
        self.read: list[str] = []
        self.meet: Callable[[str], None] = lambda _: None
        """Called with the id of each item that is read; may raise."""

    def put(self, number: int, ts: int = TS, *, readable: bool = True) -> None:
        self.items[failure_id_of(number)] = ts, encode_record(make_record(number=number)) if readable else None

    def changes(self, since: int) -> Iterator[tuple[Change, ...]]:
        self.since.append(since)
        found = sorted((ts, item_id) for item_id, (ts, _) in self.items.items() if ts >= since)
        yield tuple([Change(item_id, item_id, ts) for ts, item_id in found])

    def get(self, failure_id: str) -> bytes | None:
        self.read.append(failure_id)
        self.meet(failure_id)
        if failure_id in self.items and self.items[failure_id][1] is None:
            raise UnreadableRecord("It is none of ours.")
        return self.items.get(failure_id, (0, None))[1]

    def raw(self, item_id: str) -> bytes | None:
        return b'{"theirs": true}' if item_id in self.items else None


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(tmp_path / "mirror.sqlite") as opened:
        yield opened


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture
def sync(mirror: Mirror, origin: Origin) -> Sync:
    return Sync(mirror, origin, HERE)


def twin_of(record: TraceRecord, number: int) -> TraceRecord:
    """Another failure that says that it is of the same execution."""
    other = make_record(number=number)
    assert other.failure is not None
    failure = other.failure.model_copy(update={"trace_id": record.trace_id})
    return other.model_copy(update={"trace_id": record.trace_id, "failure": failure})


def test_a_twin_that_is_read_again_is_kept_and_not_received(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """It can be read, and not be stored beside the other: the copy stays, however often it is tried."""
    mirror.write([item(make_record(number=1))])
    twin = encode_record(twin_of(make_record(number=1), 2))
    origin.items[failure_id_of(2)] = TS, twin
    assert sync.run() == SyncReport(received=0, unreadable=0)

    assert [sync.retry_unreadable() for _ in range(2)] == [0, 0]
    assert [(kept.id, kept.body) for kept in mirror.inbox.unreadable(HERE)] == [(failure_id_of(2), twin)]


def test_an_item_that_is_gone_is_forgotten(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """Somebody deleted it from Cosmos DB: it is unreadable no longer, and the others are as they were."""
    origin.put(1, readable=False)
    origin.put(2, readable=False)
    assert sync.run().unreadable == 2
    del origin.items[failure_id_of(1)]

    assert sync.retry_unreadable() == 0
    assert [kept.id for kept in mirror.inbox.unreadable(HERE)] == [failure_id_of(2)]


def test_an_item_that_was_mended_is_unreadable_no_longer(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """Written anew it is among the changes, and any sync takes it."""
    origin.put(1, readable=False)
    assert sync.run().unreadable == 1
    origin.put(1, TS + 1)

    assert sync.run().received == 1
    assert mirror.inbox.count_unreadable(HERE) == 0


def test_what_was_unreadable_is_read_again_some_at_a_time(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """The bodies of thousands would not fit into memory: what was read before a fault is stored already."""
    for number in range(1, BATCH + 2):
        origin.put(number, TS - number, readable=False)
    assert sync.run().unreadable == BATCH + 1
    for number in range(1, BATCH + 2):
        origin.put(number, TS - number)

    def meet(failure_id: str) -> None:
        if failure_id == failure_id_of(BATCH + 1):
            raise CosmosFault("unwell", FaultKind.TRANSIENT)

    origin.meet = meet
    with pytest.raises(CosmosFault, match="unwell"):
        sync.retry_unreadable()

    assert mirror.health().failures == BATCH
    assert [kept.id for kept in mirror.inbox.unreadable(HERE)] == [failure_id_of(BATCH + 1)]


def test_a_late_item_behind_the_watermark_is_taken(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """By a clock that is behind, up to the overlap; what is known there is not read again."""
    origin.put(1)
    sync.run()
    assert mirror.inbox.watermark(HERE) == TS
    origin.put(2, TS - OVERLAP_S)

    assert sync.run() == SyncReport(received=1, unreadable=0)
    assert origin.since == [0, TS - OVERLAP_S]
    assert origin.read == [failure_id_of(1), failure_id_of(2)]
    assert mirror.inbox.watermark(HERE) == TS


class Killed(BaseException):
    """What ends a process, and is no error of a sync."""


def test_a_sync_that_was_killed_within_a_page_goes_on_there(mirror: Mirror, origin: Origin, sync: Sync) -> None:
    """Each batch and its watermark are saved together: the next sync reads what came behind, and that alone."""
    for number in range(1, 2 * BATCH + 1):
        origin.put(number, TS + number)

    def meet(failure_id: str) -> None:
        if failure_id == failure_id_of(BATCH + 1):
            raise Killed

    origin.meet = meet
    with pytest.raises(Killed):
        sync.run()
    assert mirror.inbox.watermark(HERE) == TS + BATCH
    assert mirror.health().failures == BATCH

    origin.meet = lambda _: None
    origin.read.clear()
    assert Sync(mirror, origin, HERE).run() == SyncReport(received=BATCH, unreadable=0)
    assert origin.since[-1] == TS + BATCH - OVERLAP_S
    assert sorted(origin.read) == [failure_id_of(number) for number in range(BATCH + 1, 2 * BATCH + 1)]

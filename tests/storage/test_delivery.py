"""Nothing acknowledged is lost, and nothing is there twice: small counts of what `make soak` does at length."""

from pathlib import Path

import pytest
from support import cosmos_load
from support.cosmos_fixtures import Cosmos
from support.records import failure_id_of, make_record

from failtrace.storage.trace_store import TraceStore


@pytest.mark.parametrize("name", cosmos_load.OUTAGES)
def test_an_outage_costs_nothing(cosmos: Cosmos, name: str) -> None:
    """Stored while it lasts, delivered once after it; recording goes on meanwhile."""
    cosmos_load.outage(cosmos, name, records=30, seconds=1.0)


def test_a_kill_between_answer_and_mark_makes_no_twin(cosmos: Cosmos, clean_environment: Path) -> None:
    """The record is in Cosmos DB, the mark is not in the mirror: the next process finds it there."""
    cosmos_load.kill_relays(cosmos, clean_environment, kills=3)


def test_many_processes_share_one_relay(cosmos: Cosmos, clean_environment: Path) -> None:
    """All records arrive once; nobody is told that the file is locked; the lease moves on when its holder is killed."""
    cosmos_load.storm(cosmos, clean_environment, writers=3, records=30)


def test_poison_holds_nobody_up(cosmos: Cosmos) -> None:
    """Two records that can never be stored among a hundred."""
    cosmos_load.poison(cosmos, records=100)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_pause_and_resume(cosmos: Cosmos, status: int) -> None:
    """Without a restart, and without a loss."""
    cosmos_load.refused_then_repaired(cosmos, records=20, status=status)


def test_a_killed_sync_ends_equal(cosmos: Cosmos, tmp_path: Path) -> None:
    """Watermark and records are one transaction: whatever moment it is killed at, it goes on from there."""
    cosmos_load.killed_syncs(cosmos, tmp_path, writers=3, records=40, kills=3)


def test_thirty_megabytes_go_through_the_relay(cosmos: Cosmos, tmp_path: Path) -> None:
    """In parts, each of an item's size, and back by its id on another machine."""
    record = make_record(number=1, input="é" * 15_000_000)
    with TraceStore.open("cosmos", settings=cosmos.settings()) as store:
        store.store_trace(record)
        assert store.flush(60).pending == 0
        delivery = store.mirror.outbox.delivery(failure_id_of(1))
    with TraceStore.open("cosmos", settings=cosmos.settings(home=tmp_path / "elsewhere")) as elsewhere:
        found = elsewhere.lookup(failure_id_of(1), patience_s=60)

    assert found is not None
    assert (found.record == record, found.source) == (True, "cosmos")
    assert delivery is not None
    assert delivery.parts > 20
    assert delivery.request_charge > 0
    assert delivery.activity_id

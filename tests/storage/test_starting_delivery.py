"""The store's relay: begun with the first failure, by one thread, never after the store was closed."""

import logging
import multiprocessing
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from support.records import make_record

from failtrace.mirror.views import Holder
from failtrace.settings import Settings
from failtrace.storage.memory import MemoryBackend
from failtrace.storage.trace_store import TraceStore


@pytest.fixture
def store() -> Iterator[TraceStore]:
    """One whose Cosmos DB is not there: nobody listens on port 9."""
    settings = Settings.load(cosmos_endpoint="http://127.0.0.1:9/", cosmos_key=SecretStr("a2V5"))
    with TraceStore.open("cosmos", settings=settings) as opened:
        yield opened


def test_a_store_that_is_closed_while_it_stores_starts_no_relay(
    store: TraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is safe in the mirror, and no thread is left that nobody stops."""
    write = store.mirror.write

    def write_then_close(*items: Any, **how: Any) -> int:
        fresh = write(*items, **how)
        store.close()
        return fresh

    # The one way to have the close fall between the commit and the relay.
    monkeypatch.setattr(store.mirror, "write", write_then_close)

    assert not store.store_trace(make_record(number=1)).delivered
    assert store._relay is None
    store.start_delivery()
    assert store._relay is None


def test_a_relay_that_no_thread_can_be_had_for_fails_no_write(
    store: TraceStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is acknowledged is stored; it is said once, and the next to store tries again."""

    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "failtrace"):
        # A real system that gives no thread would give none to pytest either.
        patch.setattr(threading.Thread, "start", none)
        for number in (1, 2):
            assert not store.store_trace(make_record(number=number)).delivered
        assert store.flush(0.0).pending == 2
    assert [record.getMessage() for record in caplog.records if "no thread yet" in record.getMessage()] == [
        "Failures wait in the mirror, for the relay has no thread yet (can't start new thread)."
    ]
    assert store._relay is None

    store.store_trace(make_record(number=3))
    assert store._relay is not None


def _store(store: TraceStore, number: int, told: Any) -> None:
    told.put(store.store_trace(make_record(number=number)).failure_id)
    store.close()


@pytest.mark.parametrize("remote", [True, False], ids=["cosmos", "memory"])
def test_a_forked_child_waits_for_no_lock_of_its_parents(store: TraceStore, remote: bool) -> None:
    """A fork while another thread holds it: the child stores with a lock and a relay of its own."""
    backend = MemoryBackend()
    used = store if remote else TraceStore(store.mirror, backend)
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    with used._lock, backend._lock:
        child = context.Process(target=_store, args=(used, 1, told))
        child.start()
        try:
            assert told.get(timeout=30) == make_record(number=1).failure_id
        finally:
            child.kill()
            child.join(30)


def test_a_flush_waits_for_nobody_who_is_paused(store: TraceStore) -> None:
    """Another process holds the lease and waits for a person: so would we, until the time is out."""
    other = Holder("another", os.getpid(), socket.gethostname())
    assert store.mirror.outbox.acquire(other, 600.0, lambda _: True)
    store.mirror.outbox.pause("Cosmos DB refused COSMOS_KEY.")
    store.store_trace(make_record(number=1))
    pending: list[int] = []

    flushing = threading.Thread(target=lambda: pending.append(store.flush(600.0).pending), daemon=True)
    flushing.start()
    flushing.join(30.0)
    assert pending == [1]

"""A lookup never goes dark: Cosmos DB, else the mirror, else the journal, and no caller waits longer than it wants."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import HANG, refusal
from support.records import failure_id_of, make_record

from failtrace.codec import encode_record
from failtrace.errors import NoAnswer
from failtrace.storage.trace_store import TraceStore


@pytest.fixture
def store(cosmos: Cosmos) -> Iterator[TraceStore]:
    with TraceStore.open("cosmos", settings=cosmos.settings()) as opened:
        yield opened


@pytest.fixture
def elsewhere(cosmos: Cosmos, tmp_path: Path) -> Iterator[TraceStore]:
    """A second machine: the same container, a home of its own."""
    with TraceStore.open("cosmos", settings=cosmos.settings(home=tmp_path / "elsewhere")) as opened:
        yield opened


def test_cosmos_answers_what_was_delivered(store: TraceStore, elsewhere: TraceStore) -> None:
    """By failure_id and trace_id where the mirror knows it; by failure_id from a machine that never saw it."""
    record = make_record(number=1)
    receipt = store.store_trace(record)
    assert store.flush(30).pending == 0

    for any_id in (failure_id_of(1), record.trace_id):
        found = store.lookup(any_id)
        assert found is not None
        assert (found.record, found.source, found.note) == (record, "cosmos", "")
        assert found.stored_at == receipt.stored_at
        assert found.body == encode_record(record)
    found = elsewhere.lookup(failure_id_of(1))
    assert found is not None
    assert (found.record, found.source, found.stored_at) == (record, "cosmos", None)
    assert elsewhere.get_trace(record.trace_id) is None


def test_a_receipt_says_whether_it_is_delivered(store: TraceStore) -> None:
    """A failure is on its way; one that passed never is; one that is stored again says how it stands by then."""
    failed, passed = make_record(number=1), make_record(None, number=2)

    assert [receipt.delivered for receipt in store.store_traces([failed, passed])] == [False, True]
    store.flush(30)
    assert store.store_trace(failed).delivered
    assert store.flush(0).delivered == 1


def test_what_waits_is_answered_by_the_mirror(store: TraceStore, cosmos: Cosmos) -> None:
    """Nobody asks Cosmos DB for what cannot be there yet, and the answer says so."""
    with cosmos.proxy.failing(lambda request: refusal(503, "unwell") if request.is_create else None):
        store.store_trace(make_record(number=1))
        cosmos.proxy.log.clear()
        found = store.lookup(failure_id_of(1))

    assert found is not None
    assert found.source == "mirror"
    assert "Not delivered" in found.note
    assert not cosmos.proxy.seen("read")


def test_a_silent_cosmos_costs_no_caller_more_than_it_wants(store: TraceStore, cosmos: Cosmos) -> None:
    """The mirror answers, with why; an id that only Cosmos DB could know is no answer, which is not `None`."""
    store.store_trace(make_record(number=1))
    store.flush(30)
    with cosmos.proxy.failing(lambda _: HANG):
        found = store.lookup(failure_id_of(1))
        with pytest.raises(NoAnswer, match="did not answer in time"):
            store.lookup(failure_id_of(2), patience_s=0.1)

    assert found is not None
    assert found.source == "mirror"
    assert "did not answer" in found.note


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_a_cosmos_that_is_unwell_leaves_the_mirror(store: TraceStore, cosmos: Cosmos, status: int) -> None:
    """Whatever it says, what is here is shown; a missing item is asked for once more, then the mirror answers."""
    store.store_trace(make_record(number=1))
    store.flush(30)
    with cosmos.proxy.failing(lambda request: refusal(status, "for a test") if request.is_read else None):
        cosmos.proxy.log.clear()
        found = store.lookup(failure_id_of(1))
        reads = len(cosmos.proxy.seen("read"))

    assert found is not None
    assert found.source == "mirror"
    if status == 404:
        assert reads == 2


def test_an_item_that_is_not_readable_yet_is_asked_for_once_more(
    store: TraceStore, elsewhere: TraceStore, cosmos: Cosmos
) -> None:
    """Another region wrote it a moment ago: the first read misses it, the second gives it."""
    from uuid6 import uuid7

    record = make_record(number=5)
    young = str(uuid7())
    failure = record.failure.model_copy(update={"failure_id": young}) if record.failure else None
    record = record.model_copy(update={"failure_id": young, "failure": failure})
    store.store_trace(record)
    store.flush(30)
    misses = iter([refusal(404, "not yet")])

    with cosmos.proxy.failing(lambda request: next(misses, None) if request.is_read else None):
        found = elsewhere.lookup(young)

    assert found is not None
    assert (found.record, found.source) == (record, "cosmos")


def test_damage_in_cosmos_is_bridged_by_the_mirror(store: TraceStore, cosmos: Cosmos) -> None:
    """An item that somebody changed is not believed."""
    record = make_record(number=1)
    store.store_trace(record)
    store.flush(30)
    item = cosmos.raw().read_item(failure_id_of(1), failure_id_of(1))
    cosmos.raw().replace_item(item["id"], {**item, "record": {**item["record"], "input": "changed"}})

    found = store.lookup(failure_id_of(1))

    assert found is not None
    assert (found.record, found.source) == (record, "mirror")
    assert "sha256" in found.note


_UNTOUCHED = """
import sys, time
start = time.monotonic()
import failtrace
from failtrace import TraceStore
sys.path.insert(0, "tests")
from support.records import make_record, failure_id_of
told = {}
def lap(name):
    global start
    now = time.monotonic()
    told[name] = now - start
    start = now
lap("import")
store = TraceStore.open(); lap("open")
store.store_trace(make_record(number=1)); lap("store")
store.get_trace(failure_id_of(1)); lap("get")
store.close(); lap("close")
assert max(told.values()) < float(sys.argv[1]), told
"""


def test_a_hanging_endpoint_holds_nobody_up(cosmos: Cosmos, clean_environment: Path) -> None:
    """Importing, opening, recording, reading and closing wait for nobody; nor does the end of the program.

    Each is a matter of milliseconds (`benchmarks/`); the limit has room for a machine that is busy, and none for a
    connection to the endpoint, which would hang for minutes.
    """
    environment = {**os.environ, **cosmos.environment, "FAILTRACE_HOME": str(clean_environment)}
    with cosmos.proxy.failing(lambda _: HANG):
        done = subprocess.run(
            [sys.executable, "-c", _UNTOUCHED, "15"],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert done.returncode == 0, done.stderr


def test_a_lookup_in_the_dark_is_over_in_its_patience(store: TraceStore, cosmos: Cosmos) -> None:
    """Many callers at once, none of whom holds up another."""
    with cosmos.proxy.failing(lambda _: HANG):
        start = time.monotonic()
        for number in range(40):
            with pytest.raises(NoAnswer):
                store.lookup(failure_id_of(number), patience_s=0.01)

        assert time.monotonic() - start < 20

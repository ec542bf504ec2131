"""TraceStore: durable first, then delivered; looked up wherever it is still to be had."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.records import failure_id_of, make_record

from failtrace.codec import digest, encode_record
from failtrace.contracts import FailureType, TraceRecord
from failtrace.errors import InputError, SettingsError, StoreError, UnreadableRecord
from failtrace.mirror.mirror import Mirror
from failtrace.settings import Settings
from failtrace.storage.lookup import Found
from failtrace.storage.memory import MemoryBackend
from failtrace.storage.trace_store import FlushResult, Receipt, TraceStore


@pytest.fixture
def store() -> Iterator[TraceStore]:
    with TraceStore.open() as opened:
        yield opened


def damage(store: TraceStore) -> None:
    """Change all bodies in the mirror's file."""
    with closing(sqlite3.connect(store.mirror.path)) as connection, connection:
        connection.execute("UPDATE body SET body = body || ' '")


def test_a_failure_is_stored_and_found(store: TraceStore, clean_environment: Path) -> None:
    """The receipt names what was stored; both ids open it; it is in the home of the environment."""
    before = datetime.now(UTC)
    record = make_record(FailureType.TIMEOUT, number=1)

    receipt = store.store_trace(record)

    body = encode_record(record)
    assert receipt == Receipt(record.trace_id, failure_id_of(1), digest(body), receipt.stored_at, delivered=True)
    assert before <= receipt.stored_at <= datetime.now(UTC)
    for any_id in (record.trace_id, failure_id_of(1)):
        assert store.get_trace(any_id) == record
        assert store.lookup(any_id) == Found(record, "memory", receipt.stored_at, encode_record(record))
        assert store.raw(any_id) == body
    assert store.mirror.record(failure_id_of(1)) == body
    assert store.mirror.path == clean_environment / "mirror.sqlite"
    assert store.kind == "memory"
    assert store.flush() == FlushResult(delivered=1, pending=0)


def test_a_passed_execution_is_in_the_mirror_alone(store: TraceStore) -> None:
    """It has no failure_id, is not given to the store of failures, and opens by its trace_id."""
    record = make_record(None, number=1)

    receipt = store.store_trace(record)

    assert receipt.failure_id is None
    assert store.lookup(record.trace_id) == Found(record, "mirror", receipt.stored_at, encode_record(record))
    assert store.backend.health().records == 0
    assert store.flush() == FlushResult(delivered=0, pending=0)


def test_many_are_stored_in_one_transaction(store: TraceStore) -> None:
    """Receipts come in the order of the records, and the data version moves once."""
    version = store.mirror.data_version()
    records = [make_record(None if n % 2 else FailureType.EXCEPTION, number=n + 1) for n in range(6)]

    receipts = store.store_traces(iter(records))

    assert [receipt.trace_id for receipt in receipts] == [record.trace_id for record in records]
    assert [receipt.failure_id for receipt in receipts] == [record.failure_id for record in records]
    assert store.mirror.data_version() == version + 1
    assert store.store_traces([]) == ()


def test_a_second_record_of_an_execution_does_not_count(store: TraceStore) -> None:
    """Its receipt names the first, which is what opens; the id of the second opens nothing."""
    first = make_record(number=1)
    receipt = store.store_trace(first)
    second = make_record(number=2)
    assert second.failure is not None
    failure = second.failure.model_copy(update={"trace_id": first.trace_id})
    second = second.model_copy(update={"trace_id": first.trace_id, "failure": failure})

    assert store.store_traces([second, first]) == (receipt, receipt)
    assert store.get_trace(failure_id_of(2)) is None
    assert store.get_trace(failure_id_of(1)) == first


def test_any_text_may_be_looked_up(store: TraceStore) -> None:
    """What is no id of anything is None, never an error."""
    for text in ("", "../../x", "'; DROP TABLE body; --", "\x00", "\ud800", "0" * 32, failure_id_of(1), "x" * 9999):
        assert store.get_trace(text) is None
        assert store.lookup(text) is None
        assert store.raw(text) is None


def test_a_new_process_finds_old_failures(store: TraceStore) -> None:
    """Memory is empty at the next start; the mirror answers, and says so."""
    record = make_record(number=1)
    receipt = store.store_trace(record)
    store.close()

    with TraceStore.open("memory") as later:
        assert later.lookup(failure_id_of(1)) == Found(record, "mirror", receipt.stored_at, encode_record(record))


def test_damage_in_the_mirror_is_bridged_by_the_backend(store: TraceStore) -> None:
    """The good copy answers, by both ids; where there is none, the damage is said."""
    failed, passed = make_record(number=1), make_record(None, number=2)
    store.store_traces([failed, passed])
    damage(store)

    assert store.get_trace(failure_id_of(1)) == failed
    assert store.get_trace(failed.trace_id) == failed
    with pytest.raises(UnreadableRecord, match="bytes do not match their sha256"):
        store.get_trace(passed.trace_id)


def test_damage_in_the_backend_is_bridged_by_the_mirror(store: TraceStore) -> None:
    """What the backend gives and nobody can read is read from the mirror."""
    record = make_record(number=1)
    store.backend.put([(failure_id_of(1), b"{torn")])
    store.store_trace(record)

    found = store.lookup(failure_id_of(1))

    assert found is not None
    assert (found.record, found.source) == (record, "mirror")


def test_a_mirror_that_is_gone_leaves_the_backend(store: TraceStore) -> None:
    """A lookup does not go dark with the file: memory answers, without a time of storing."""
    record = make_record(number=1)
    store.store_trace(record)
    store.mirror.path.unlink()

    assert store.lookup(failure_id_of(1)) == Found(record, "memory", None, encode_record(record))
    with pytest.raises(StoreError, match="was removed or replaced"):
        store.get_trace(failure_id_of(2))


def test_the_journal_answers_last(tmp_path: Path) -> None:
    """A record that is nowhere else comes from the journal, also when the mirror's copy is damaged."""
    waiting, stored = make_record(number=1), make_record(None, number=2)
    journal = {failure_id_of(1): waiting, stored.trace_id: stored}
    mirror = Mirror.open(tmp_path / "mirror.sqlite")

    with TraceStore(mirror, MemoryBackend(), journal_lookup=journal.get) as store:
        store.store_trace(stored)
        assert store.lookup(failure_id_of(1)) == Found(waiting, "journal", None, encode_record(waiting))
        assert store.raw(failure_id_of(1)) == encode_record(waiting)
        found = store.lookup(stored.trace_id)
        assert found is not None
        assert found.source == "mirror"
        damage(store)
        found = store.lookup(stored.trace_id)
        assert found is not None
        assert (found.record, found.source) == (stored, "journal")


def test_a_record_of_a_newer_version_is_given_out_raw(store: TraceStore) -> None:
    """Bytes that this version cannot decode are still to be had, and the error says to upgrade."""
    record = make_record(number=1)
    body = encode_record(record).replace(b'"schema_version":1', b'"schema_version":9')
    store.mirror.write([(record, body)])

    assert store.raw(failure_id_of(1)) == body
    with pytest.raises(UnreadableRecord, match="schema_version 9"):
        store.get_trace(failure_id_of(1))


def test_what_is_no_json_is_refused_whole(store: TraceStore) -> None:
    """A lone surrogate that passed by the sanitiser is one sentence with the trace_id, and nothing is stored."""
    bad = make_record(number=2, input={"x": "\ud800"})

    with pytest.raises(InputError, match=bad.trace_id):
        store.store_traces([make_record(number=1), bad])

    assert store.mirror.health().executions == 0


def test_the_backend_gets_nothing_that_is_not_durable(store: TraceStore) -> None:
    """Where the mirror refuses, no receipt is given and no copy is left elsewhere."""
    store.mirror.path.unlink()

    with pytest.raises(StoreError):
        store.store_trace(make_record(number=1))

    assert store.backend.health().records == 0


def test_cosmos_without_its_settings_names_them(clean_environment: Path) -> None:
    """Asked for by name alone, it is one sentence with every variable, and nothing was opened for it."""
    with pytest.raises(
        SettingsError, match=r"COSMOS_ENDPOINT is not set.*COSMOS_KEY.*COSMOS_DATABASE.*COSMOS_CONTAINER"
    ):
        TraceStore.open("cosmos")

    assert not clean_environment.exists()


def test_an_unknown_store_is_refused(clean_environment: Path) -> None:
    """The sentence names those that there are."""
    with pytest.raises(InputError, match="no store 'redis'; choose one of 'auto', 'memory', 'cosmos'"):
        TraceStore.open("redis")  # type: ignore[arg-type]
    assert not clean_environment.exists()


def test_settings_reach_the_mirror(tmp_path: Path) -> None:
    """The home and the number of passed records are those of the settings given."""
    settings = Settings.load(home=tmp_path / "elsewhere", keep_passed=0)
    record: TraceRecord = make_record(None)

    with TraceStore.open(settings=settings) as store:
        store.store_trace(record)

        assert store.mirror.path == tmp_path / "elsewhere" / "mirror.sqlite"
        assert store.get_trace(record.trace_id) is None
        assert store.mirror.execution(record.trace_id) is not None

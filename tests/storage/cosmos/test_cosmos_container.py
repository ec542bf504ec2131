"""Records in a real Cosmos-compatible container: exactness by its own JSON, sizes, expiry, connections."""

import json
import multiprocessing
import socket
import threading
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cosmos_fixtures import Cosmos
from support.records import make_record, records

from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import UnreadableRecord
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind
from failtrace.storage.cosmos.item import body_of, encoded_size, items_of

KEYS = [
    "0",
    "10",
    "2",
    "01",
    "a",
    "é",
    "id",
    "_ts",
    "_rid",
    "ttl",
    "constructor",
    "$failtrace",
    "$1",
    "",
    "\x00",
    "\u2028",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([1.0, -0.0, 1e20, 1e21, 1e22, 1e308, 5e-324, 0.1, 2.0**53, 2**53, -(2**53), 2**53 + 1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from(KEYS), children, max_size=6),
    max_leaves=15,
)


def fid(record: TraceRecord) -> str:
    assert record.failure_id is not None
    return record.failure_id


@given(value=VALUES, record=records().filter(lambda record: record.failure is not None))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_servers_own_json_changes_no_byte(cosmos: Cosmos, value: Any, record: TraceRecord) -> None:
    """Any record of the contract with any value, through the SDK, the server and back; not by a simulation of ours."""
    backend = _shared(cosmos)
    for given_ in (record, make_record(input=value, output=[value])):
        body = encode_record(given_)
        if backend.get(fid(given_)) is None:
            backend.send(fid(given_), body)
            assert backend.get(fid(given_)) == body


_backends: dict[str, CosmosBackend] = {}


def _shared(cosmos: Cosmos) -> CosmosBackend:
    """One backend for all examples, as in one process."""
    if cosmos.container not in _backends:
        _backends.clear()
        _backends[cosmos.container] = cosmos.backend()
    return _backends[cosmos.container]


@pytest.mark.parametrize(
    "value",
    [
        [1.0] * 340_000,
        {str(n): n for n in range(90_000)},
        [[1.0]] * 200_000,
        [1.0] * 120_000,
        {"a": {"b": {"c": [[0.0]] * 60_000}}},
        '\\"' * 1_000_000,
        "\x00" * 500_000,
    ],
    ids=["floats", "keys", "nested floats", "a few floats", "deep floats", "quotes", "NUL"],
)
def test_where_patches_would_outgrow_the_record_it_goes_as_text(value: Any) -> None:
    """Every item stays below the limit although each number would need a patch of its own."""
    record = make_record(input=value)
    body = encode_record(record)

    *parts, head = items_of(fid(record), body)

    assert parts
    assert max(map(encoded_size, [*parts, head])) < 2_000_000
    assert body_of(head, parts) == body


def test_a_long_summary_is_shortened_and_the_record_is_not() -> None:
    """A subject's name may be of any length; the head of a record in parts stays small all the same."""
    name = "é" * 2_000_000
    record = make_record(subject=name, run_id=name, fingerprint=name)
    body = encode_record(record)

    *parts, head = items_of(fid(record), body)

    assert encoded_size(head) < 20_000
    assert head["subject"] == head["run_id"] == "é" * 1000
    assert body_of(head, parts) == body


def test_nothing_is_asked_for_behind_a_missing_part(cosmos: Cosmos) -> None:
    """A damaged head that claims ten thousand parts costs two reads, and is unreadable."""
    cosmos.raw().create_item(
        {"id": "x", "failure_id": "x", "kind": "failure", "schema_version": 1, "sha256": "0" * 64, "parts": 10_000}
    )
    backend = cosmos.backend()
    backend.get("another")
    cosmos.proxy.log.clear()

    with pytest.raises(UnreadableRecord):
        backend.get("x")

    assert len(cosmos.proxy.seen("read")) == 2


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_the_longest_retention_is_one_that_cosmos_takes(cosmos: Cosmos, year: int) -> None:
    """A time to live is within 1 and 2**31 - 1 seconds, whenever the failure occurred."""
    backend = CosmosBackend(CosmosAccount.from_settings(cosmos.settings()), retention_days=36_500)
    record = make_record(ended_at=datetime(year, 6, 1, tzinfo=UTC), started_at=datetime(year, 6, 1, tzinfo=UTC))

    backend.send(fid(record), encode_record(record))

    written = json.loads(_sent_ttl(cosmos, backend, record))
    assert 1 <= written <= 2**31 - 1


def _sent_ttl(cosmos: Cosmos, backend: CosmosBackend, record: TraceRecord) -> str:
    """The ttl as it was sent: the server may have let the item go already."""
    seen: list[str] = []
    again = make_record(ended_at=record.ended_at, started_at=record.started_at)
    cosmos.proxy.after_create = lambda request: seen.append(json.dumps(json.loads(request.body)["ttl"]))
    try:
        backend.send(fid(again), encode_record(again))
    finally:
        cosmos.proxy.after_create = None
    return seen[0]


def test_a_body_without_a_failure_is_unreadable_and_not_an_error(cosmos: Cosmos) -> None:
    """With a retention as without: what cannot be an item is told, so that the relay sets it aside."""
    passed = encode_record(make_record(None))
    for days in (None, 30):
        backend = CosmosBackend(CosmosAccount.from_settings(cosmos.settings()), retention_days=days)
        for body in (b"", b"[]", b"{}", b"\xff", passed):
            with pytest.raises(UnreadableRecord):
                backend.send("f", body)
    assert cosmos.items() == []


def test_attempts_in_vain_leave_nothing_open(cosmos: Cosmos) -> None:
    """An outage of hours is thousands of attempts: none leaves a thread or a connection behind."""
    backend = cosmos.backend()
    with cosmos.proxy.refusing():
        _fails(backend)
        threads, connections = _held()
        for _ in range(20):
            _fails(backend)

        assert _held() <= (threads, connections)

    assert backend.get("x") is None


def _fails(backend: CosmosBackend) -> None:
    with pytest.raises(CosmosFault, match="could not be reached") as caught:
        backend.get("x")
    assert caught.value.kind is FaultKind.TRANSIENT


def _held() -> tuple[int, int]:
    """Threads of the SDK, and connections of this process to anywhere."""
    names = [thread.name for thread in threading.enumerate()]
    return sum("cosmos" in name or "Pool" in name for name in names), len(psutil.Process().net_connections("tcp"))


def test_two_clients_see_each_others_records(cosmos: Cosmos) -> None:
    """Closed, and from a second backend: what was sent is there, and the changes name it; what is closed stays so."""
    first, second = cosmos.backend(), cosmos.backend()
    record = make_record()
    body = encode_record(record)
    first.send(fid(record), body)
    first.close()

    assert second.get(fid(record)) == body
    with pytest.raises(CosmosFault, match="was closed"):
        first.get(fid(record))
    assert [change.id for page in second.changes(0) for change in page] == [fid(record)]


def _look(backend: CosmosBackend, failure_id: str, answers: Any) -> None:
    found = backend.get(failure_id)
    answers.put((found, backend.provision()[0]))


def test_a_child_of_a_busy_parent_waits_for_no_lock(cosmos: Cosmos) -> None:
    """A fork while another thread connects: the child neither waits for that thread's lock nor uses its sockets."""
    backend = cosmos.backend()
    record = make_record()
    body = encode_record(record)
    cosmos.backend().send(fid(record), body)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with backend._connection._lock:
        child = context.Process(target=_look, args=(backend, fid(record), answers))
        child.start()
        found, told = answers.get(timeout=30)
        child.join(30)

    assert found == body
    assert "was there" in told


def test_a_backend_is_made_and_asked_for_its_health_without_a_connection() -> None:
    """Against an endpoint that accepts and never answers: nobody has even knocked."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        backend = CosmosBackend(CosmosAccount(f"http://127.0.0.1:{silent.getsockname()[1]}/", None, "d", "c"))

        assert backend.get("no id of ours/") is None
        assert backend.health().reachable
        backend.close()
        with pytest.raises(BlockingIOError):
            silent.accept()

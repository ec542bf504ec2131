"""Failures that the relay brings to Cosmos DB a second, against the same SDK in a bare loop with as many threads."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from benchmarks.harness import Goal, Row, in_rate, interleave, times_floor
from benchmarks.places import scratch
from benchmarks.population import Population
from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.settings import Settings
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.cosmos.client import CosmosConnection
from failtrace.storage.cosmos.item import items_of
from failtrace.storage.relay import SENDERS, Relay

RECORDS = 1500
GOAL = Goal(must=0.8, aim=0.95, unit=" ×", reading=times_floor, more_is_better=True)


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """Both sides send new failures of 6 KB to the tests' server; ours marks each in the mirror as well."""
    records = Population(RECORDS * 2 * (rounds + 1), 1.0).records()
    with scratch() as folder, _server() as account:
        backend = CosmosBackend(account)
        backend.provision()
        container = CosmosConnection(account).container()
        with Mirror.open(folder / "mirror.sqlite") as mirror:
            relay = Relay(mirror, backend)
            pairs = interleave(
                rounds,
                lambda: _bare(container, list(islice(records, RECORDS))),
                lambda: _relayed(mirror, relay, list(islice(records, RECORDS))),
            )
            relay.stop()
        backend.close()
    return (
        Row(
            what="failures delivered to Cosmos DB a second, 6 KB",
            floor=f"azure-cosmos in a bare loop of {SENDERS} threads, same server",
            goal=GOAL,
            pairs=pairs,
            scale=in_rate,
        ),
    )


@contextmanager
def _server() -> Iterator[CosmosAccount]:
    """The Cosmos-compatible server of the tests, without their proxy."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    tests = import_module("support.cosmos_server")
    server = tests.start_server()
    try:
        yield CosmosAccount.from_settings(
            Settings.load(cosmos_endpoint=f"http://127.0.0.1:{server.port}/", cosmos_key=SecretStr(tests.KEY))
        )
    finally:
        server.close()


def _bare(container: Any, records: list[TraceRecord]) -> float:
    items = [
        item for record in records if record.failure_id for item in items_of(record.failure_id, encode_record(record))
    ]
    start = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda item: container.create_item(item, no_response=True), items))
    return len(items) / (time.perf_counter() - start)


def _relayed(mirror: Mirror, relay: Relay, records: list[TraceRecord]) -> float:
    mirror.write([(record, encode_record(record)) for record in records], outbox=True)
    start = time.perf_counter()
    relay.start()
    relay.wake()
    while mirror.outbox.pending():
        time.sleep(0.02)
    return len(records) / (time.perf_counter() - start)

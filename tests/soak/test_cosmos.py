"""The full counts of `tests/storage/test_delivery.py`, with their figures printed."""

from pathlib import Path

import pytest
from support import cosmos_load
from support.cosmos_fixtures import Cosmos

P99_MS = 50.0
"""How much longer `store_trace` may take in an outage than in calm, at the 99th percentile."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("name", cosmos_load.OUTAGES)
def test_1000_records_through_an_outage_of_a_minute(cosmos: Cosmos, name: str) -> None:
    """0 lost, 0 twins, nothing left within a minute of healing, and nobody who records notices."""
    figures = cosmos_load.outage(cosmos, name, records=1000, seconds=60.0)

    print(f"{name}: {figures}")
    assert figures["hard_p99_ms"] - figures["calm_p99_ms"] < P99_MS


def test_100_kills_between_answer_and_mark(cosmos: Cosmos, clean_environment: Path) -> None:
    """Every record is in Cosmos DB exactly once and the outbox is empty."""
    cosmos_load.kill_relays(cosmos, clean_environment, kills=100)


def test_8_writers_and_two_dashboards(cosmos: Cosmos, clean_environment: Path) -> None:
    """4,000 of 4,000, nobody locked out, and another relay within 30 s of a kill."""
    took = cosmos_load.storm(cosmos, clean_environment, writers=8, records=500)

    print(f"takeover after {took:.1f} s")


def test_a_sync_killed_20_times(cosmos: Cosmos, tmp_path: Path) -> None:
    """3 machines of 1,000 failures each, and one that ends up with them all."""
    cosmos_load.killed_syncs(cosmos, tmp_path, writers=3, records=1000, kills=20)

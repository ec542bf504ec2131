"""What commands and the Health page tell of the delivery to Cosmos DB."""

from failtrace.delivery_facts import delivery_facts
from failtrace.mirror.views import Holder, InboxState, RelayStatus


def test_the_facts_are_those_of_relay_and_sync() -> None:
    """Everything that the mirror knows of the delivery has its line, the attempts of the last hour among it."""
    state = RelayStatus(
        pending=2,
        oldest_pending_at=None,
        dead=1,
        lag_ms=1500.0,
        delivered_last_hour=3,
        request_units_last_hour=24.4,
        attempts_last_hour=1004,
        last_success_at=None,
        last_error=None,
        last_error_at=None,
        paused=None,
        holder=Holder("relay", 7, "here"),
        lease_until=None,
    )

    assert delivery_facts(state, InboxState(watermark=None, synced_at=None, error="refused"), 4) == [
        ("State", "delivering"),
        ("Backlog", "2 pending"),
        ("Lag", "1.5 s from storing to Cosmos DB"),
        ("Last hour", "3 delivered in 1,004 attempts, 24 request units"),
        ("Dead letters", "1"),
        ("Lease", "process 7 on here"),
        ("Last success", "never"),
        ("Last sync", "never"),
        ("Unreadable", "4"),
        ("Sync error", "refused"),
        ("Last error", "–"),
    ]

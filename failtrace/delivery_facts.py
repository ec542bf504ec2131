"""How the delivery to Cosmos DB stands and what it could not take, in words, for commands and the Health page."""

from failtrace.mirror.views import DeadLetter, InboxState, RelayStatus
from failtrace.wording import ago, count_of


def delivery_facts(state: RelayStatus, inbox: InboxState, unreadable: int) -> list[tuple[str, str]]:
    """How delivery and sync stand, name by name."""
    oldest = f", the oldest since {ago(state.oldest_pending_at)}" if state.oldest_pending_at else ""
    holder = f"process {state.holder.pid} on {state.holder.host}" if state.holder else "nobody"
    lag = "–" if state.lag_ms is None else f"{state.lag_ms / 1000:.1f} s from storing to Cosmos DB"
    delivered = f"{state.delivered_last_hour:,} delivered in {count_of(state.attempts_last_hour, 'attempt')}"
    failed = f"{ago(state.last_error_at)} ago: {state.last_error}" if state.last_error and state.last_error_at else "–"
    return [
        ("State", state.paused or _state_of(state)),
        ("Backlog", f"{state.pending:,} pending{oldest}"),
        ("Lag", lag),
        ("Last hour", f"{delivered}, {state.request_units_last_hour:,.0f} request units"),
        ("Dead letters", f"{state.dead:,}"),
        ("Lease", holder),
        ("Last success", f"{ago(state.last_success_at)} ago" if state.last_success_at else "never"),
        ("Last sync", f"{ago(inbox.synced_at)} ago" if inbox.synced_at else "never"),
        ("Unreadable", f"{unreadable:,}"),
        ("Sync error", inbox.error or "–"),
        ("Last error", failed),
    ]


def _state_of(state: RelayStatus) -> str:
    if not state.pending:
        return "all delivered"
    return "delivering" if state.holder else "waiting for a process: start the dashboard, or run `failtrace sync`"


def dead_letter_row(letter: DeadLetter) -> dict[str, object]:
    """A dead letter as the row of an export: JSON values by name."""
    return {
        "failure_id": letter.failure_id,
        "subject": letter.subject,
        "failure_type": letter.failure_type,
        "message": letter.message,
        "status": letter.status,
        "error": letter.error,
        "attempts": letter.attempts,
        "added_at": letter.added_at.isoformat(),
        "buried_at": letter.buried_at.isoformat(),
    }

"""What becomes of a record on its way to Cosmos DB: delivered, or a fault that says what to do next."""

from dataclasses import dataclass
from enum import StrEnum

from failtrace.errors import StoreError


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record is in Cosmos DB."""

    request_charge: float
    """Request units of all its items together."""
    activity_id: str
    """Cosmos DB's name for the last request: what Microsoft's support asks for."""
    parts: int
    """Items besides the head; 0 for a record that fits into one."""


class FaultKind(StrEnum):
    """What to do about a fault."""

    TRANSIENT = "transient"
    """Cosmos DB or the network is unwell (429, 449, 408, 5xx, no connection): back off and try again, for ever."""
    SETUP = "setup"
    """Nothing can be sent until a person mends a setting, a role or a clock: pause, tell, and look again."""
    POISON = "poison"
    """This one record can never be stored (400, 413, another content under its id): set it aside, visibly."""


class CosmosFault(StoreError):
    """A request to Cosmos DB failed; the message is one sentence for a person."""

    def __init__(
        self, message: str, kind: FaultKind, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        """How long Cosmos DB asks to wait, where it says so."""


@dataclass(frozen=True, slots=True)
class Change:
    """An item that was written since; of an item that is none of ours, whatever is there."""

    id: str
    failure_id: str | None
    """Its partition; None where it has none, or no text."""
    ts: int
    """`_ts`: seconds since the epoch, by Cosmos DB's clock."""

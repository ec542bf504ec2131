"""What a store of failures has to do, and no more; one conformance suite holds every implementation to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """The state of a store."""

    name: str
    reachable: bool
    records: int | None
    """How many failures it holds; None where counting would cost too much."""
    bytes: int | None
    detail: str
    """One sentence on the state."""


class TraceBackend(Protocol):
    """A store of encoded failures by failure_id. Thread-safe; records are immutable."""

    name: str
    remote: bool
    """Whether a network lies between: then the relay delivers to it, and nobody waits for it without a limit."""

    def put(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Store (failure_id, encoded record) pairs. An id that is there already stays as it is.

        Raises StoreError where the store cannot take them.
        """

    def get(self, failure_id: str) -> bytes | None:
        """The bytes stored under an id; None for an unknown one. Any text is an id; none is ever a query."""

    def health(self) -> BackendHealth:
        """The state of the store; never raises."""

    def close(self) -> None:
        """Let go of what the store holds open. Idempotent."""

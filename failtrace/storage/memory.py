"""The store of a machine without Cosmos DB: the newest failures of this process, in memory."""

import threading
from collections.abc import Sequence

from failtrace.storage.backend import BackendHealth
from failtrace.storage.forks import renew_in_child

RECORDS_MOST = 10_000
BYTES_MOST = 256 * 1024 * 1024


class MemoryBackend:
    """Keeps the newest failures within both limits; the mirror holds those that had to go."""

    name = "memory"
    remote = False

    def __init__(self, records_most: int = RECORDS_MOST, bytes_most: int = BYTES_MOST) -> None:
        self._records_most = records_most
        self._bytes_most = bytes_most
        self._records: dict[str, bytes] = {}
        self._bytes = 0
        self._dropped = 0
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """With a lock that nobody holds; in a forked child a thread of the parent's may."""
        self._lock = threading.Lock()

    def put(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Store (failure_id, encoded record) pairs. An id that is there already stays as it is."""
        with self._lock:
            for failure_id, body in records:
                if failure_id not in self._records:
                    self._records[failure_id] = body
                    self._bytes += len(body)
            while len(self._records) > self._records_most or self._bytes > self._bytes_most:
                oldest = next(iter(self._records))
                self._bytes -= len(self._records.pop(oldest))
                self._dropped += 1

    def get(self, failure_id: str) -> bytes | None:
        """The bytes stored under an id; None for an unknown one."""
        return self._records.get(failure_id)

    def health(self) -> BackendHealth:
        """How full it is."""
        with self._lock:
            records, size, dropped = len(self._records), self._bytes, self._dropped
        return BackendHealth(
            name=self.name,
            reachable=True,
            records=records,
            bytes=size,
            detail=f"This process holds {records} failures; {dropped} older ones are in the mirror alone.",
        )

    def close(self) -> None:
        """Forget all records. Idempotent."""
        with self._lock:
            self._records.clear()
            self._bytes = 0

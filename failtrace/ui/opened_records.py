"""The records that were read last, kept for a moment: a page runs anew at every click, and a record may have 20 MB."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from failtrace.storage.lookup import Found

MOST_BYTES: Final = 24 * 1024 * 1024
"""Of encoded records; decoded they take some five times as much."""
FRESH_S: Final = 30.0
"""A record never changes, but who answers may."""

Look = Callable[[], Found | None]


@dataclass(frozen=True, slots=True)
class _Kept:
    found: Found
    until: float


class OpenedRecords:
    """Records by id, the newest first to stay. Thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, any_id: str, look: Look) -> Found | None:
        """The record of an id, by `look` where it is not kept; that there is none is not remembered."""
        with self._lock:
            kept = self._kept.get(any_id)
        if kept and self._clock() < kept.until:
            return kept.found
        found = look()
        with self._lock:
            self._kept.pop(any_id, None)
            if found is not None:
                self._kept[any_id] = _Kept(found, self._clock() + FRESH_S)
                self._make_room()
        return found

    def _make_room(self) -> None:
        """Drop the oldest, and what is no longer fresh; the newest stays, whatever its size."""
        for any_id in [any_id for any_id, kept in self._kept.items() if self._clock() >= kept.until]:
            del self._kept[any_id]
        while len(self._kept) > 1 and sum(len(kept.found.body) for kept in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)

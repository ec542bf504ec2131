"""Whether records may go out while Cosmos DB is unwell."""

import time
from collections.abc import Callable

from failtrace.storage.backoff import backoff

IN_VAIN = 4
"""Transient faults in a row, without a success, after which one record at a time goes out as a probe."""


class Gate:
    """Whether, and how many, records may go out now: closed for a while after an outage was seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_vain = 0
        self._opens_at = 0.0

    @property
    def probing(self) -> bool:
        """Whether one record at a time goes out, to see if Cosmos DB is there again."""
        return self._in_vain >= IN_VAIN

    @property
    def shut_now(self) -> bool:
        """Whether nothing may go out."""
        return self._clock() < self._opens_at

    def room(self, room: int, in_flight: int) -> int:
        """How many of `room` records may go out."""
        if self.shut_now:
            return 0
        return min(room, max(0, 1 - in_flight)) if self.probing else room

    def success(self) -> bool:
        """Note a success; True where it ended an outage."""
        ended = self.probing
        self._in_vain = 0
        self._opens_at = 0.0
        return ended

    def fault(self, least_s: float) -> None:
        """Note a transient fault. While shut, it is of something sent before, and says nothing new."""
        if self.probing and self.shut_now:
            return
        self._in_vain += 1
        if self.probing:
            self._opens_at = self._clock() + backoff(self._in_vain - IN_VAIN, least_s)

    def shut(self, seconds: float) -> None:
        """Let nothing out for a while, then a probe."""
        self._in_vain = max(self._in_vain, IN_VAIN)
        self._opens_at = self._clock() + seconds

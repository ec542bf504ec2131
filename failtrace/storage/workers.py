"""A few daemon threads that do one thing to many items; a hanging network holds up neither their owner nor the exit."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Generic[Item, Result]):
    """Calls `work` on each submitted item in one of `count` threads, which start with the first items.

    Not concurrent.futures: its threads are waited for at the interpreter's exit, however long they hang.
    """

    def __init__(self, work: Callable[[Item], Result], count: int, name: str) -> None:
        self._work = work
        self._count = count
        self._name = name
        self._threads = 0
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Item, Result | BaseException]] = queue.SimpleQueue()
        self.in_flight = 0
        """Items whose result was not collected yet. For the owner's thread alone, as are all methods."""

    def submit(self, item: Item) -> None:
        """Have an item worked on. Raises RuntimeError where no thread at all can be had; then it was not taken."""
        if self._threads < min(self._count, self.in_flight + 1):
            self._add_thread()
        self.in_flight += 1
        self._items.put(item)

    def collect(self, timeout: float, linger: float = 0.0) -> list[tuple[Item, Result | BaseException]]:
        """What has ended since, with its result or the exception it raised.

        Waits `timeout` seconds for a first, and then `linger` for more, while more is in flight.
        """
        ended: list[tuple[Item, Result | BaseException]] = []
        until = time.monotonic() + timeout
        with suppress(queue.Empty):
            while self.in_flight > len(ended):
                left = max(0.0, until - time.monotonic())
                ended.append(self._results.get(timeout=left) if left else self._results.get_nowait())
                if len(ended) == 1:
                    until = time.monotonic() + linger
        self.in_flight -= len(ended)
        return ended

    def recall(self) -> list[Item]:
        """Take back what no thread has begun with."""
        back: list[Item] = []
        with suppress(queue.Empty):
            while (item := self._items.get_nowait()) is not None:
                back.append(item)
        self.in_flight -= len(back)
        return back

    def close(self) -> None:
        """Let the threads end, each after the item it is at; what waits behind is not worked on."""
        self.recall()
        for _ in range(self._threads):
            self._items.put(None)

    def _add_thread(self) -> None:
        name = f"{self._name}-{self._threads + 1}"
        try:
            threading.Thread(target=self._run, name=name, daemon=True).start()
        except RuntimeError:
            # The system gives no more threads: those that there are do the work.
            if not self._threads:
                raise
            return
        self._threads += 1

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            try:
                self._results.put((item, self._work(item)))
            # Whatever it was: the owner decides, and the thread lives on.
            except BaseException as error:  # noqa: BLE001
                self._results.put((item, error))

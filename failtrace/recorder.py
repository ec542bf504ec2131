"""The recorder: one thread that turns watched calls into stored records, so that no host waits for a disk."""

from __future__ import annotations

import atexit
import os
import queue
import threading

from failtrace.capture.journal import MemoryJournal
from failtrace.detection.assemble import assemble
from failtrace.guard import GUARD
from failtrace.storage.trace_store import TraceStore
from failtrace.tracing import export

MAX_WAITING = 1000
"""Calls that wait to be stored; beyond that new ones are dropped and counted."""
EXIT_LIMIT_S = 5.0
"""How long the end of the program waits for what is still to be stored."""


class Recorder:
    """Takes calls from any thread; opens the store when the first one comes."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[MemoryJournal | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.dropped = 0
        self.stored = 0

    def take(self, journal: MemoryJournal) -> None:
        """Have a call judged and, where it failed, stored. Never waits."""
        try:
            self._waiting.put_nowait(journal)
        except queue.Full:
            self.dropped += 1
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="failtrace-recorder", daemon=True)
                self._thread.start()

    def flush(self, timeout: float = EXIT_LIMIT_S) -> bool:
        """Wait until all that was taken is stored, `timeout` seconds at most; whether it is. Takes nothing after."""
        thread = self._thread
        if thread is None:
            return True
        try:
            self._waiting.put(None, timeout=timeout)
        except queue.Full:
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def _work(self) -> None:
        store: TraceStore | None = None
        while (journal := self._waiting.get()) is not None:
            with GUARD:
                record = assemble(journal.lines())
                export(record)
                if record.failure is not None:
                    store = store or TraceStore.open()
                    store.store_trace(record)
                    self.stored += 1
        if store is not None:
            store.close()
        with self._lock:
            self._thread = None


_recorders: dict[int, Recorder] = {}
_lock = threading.Lock()


def recorder() -> Recorder:
    """This process's recorder; a forked child, whose copy of the thread is dead, gets one of its own."""
    pid = os.getpid()
    with _lock:
        if pid not in _recorders:
            _recorders[pid] = Recorder()
            atexit.register(_recorders[pid].flush)
        return _recorders[pid]


os.register_at_fork(after_in_child=lambda: globals().update(_lock=threading.Lock()))

"""The recorder: threads that judge and store the watched calls that ended badly, so that no host waits for a disk.

What it cannot store, because the store is out of order or too many calls wait, it leaves in the watch journal, where it
finds them again itself, or the next start of anything does. What the journal does not hold either is dropped and counted.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from failtrace.capture.capture import Capture
from failtrace.capture.journal import JournalLines
from failtrace.capture.redaction import redact_text
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import JOURNAL, CallJournal
from failtrace.capture.watch_status import WatchStatus, write_status
from failtrace.contracts import TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import InputError
from failtrace.execution.outcome import gather_evidence
from failtrace.recover import recover
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore
from failtrace.subjects.subject import Subject
from failtrace.tracing import export

MAX_WAITING = 1000
"""Calls that wait to be stored."""
EXIT_LIMIT_S = 5.0
"""How long the end of the program waits for what is still to be stored."""
RETRY_S = 5.0
"""Between two attempts of a store that is out of order."""
RECOVER_S = 30.0
"""Between two looks at what had to be left in the journal."""
TELL_S = 5.0
"""Between two writings of how the watching stands."""
HUNG_S = 30.0
"""After so long with one call a thread counts as hung, in a detector, say, and another takes its place."""
MAX_THREADS = 3


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is to be judged, and stored where it failed or was sampled."""

    journal: CallJournal
    subject: Subject
    sampled: bool


class Recorder:
    """Takes calls from any thread, and never makes it wait; opens the store when the first one comes."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Ended | None] = SimpleQueue()
        self._lock = threading.RLock()
        self._busy_since: dict[threading.Thread, float] = {}
        self._change = threading.Condition()
        self._taken = self._done = 0
        self._storing = threading.Lock()
        self._store: TraceStore | None = None
        self._resting = threading.Event()
        """Set while a flush wants no pause to be made."""
        self._broken_until = 0.0
        self._looks_next = self._tells_next = 0.0
        self._left_behind = False
        self.stored = self.left = 0

    def take(self, ended: Ended) -> None:
        """Have a call judged and, where it failed, stored. Never waits."""
        ended.journal.ended()
        full = self._taken - self._done >= MAX_WAITING
        if full or (time.monotonic() < self._broken_until and _needs_no_evidence(ended)):
            if self._leave(ended) or full:
                return
        with self._lock:
            self._taken += 1
        self._waiting.put(ended)
        self._have_a_thread()

"""The recorder: threads that judge and store the watched calls that ended badly, so that no host waits for a disk.

What it cannot store, because the store is out of order or too many calls wait, it leaves in the watch journal, where
it finds them again itself, or the next start of anything does. What the journal does not hold is dropped and counted.
"""

from __future__ import annotations

import atexit
import errno
import math
import os
import sys
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from failtrace.capture.capture import Capture
from failtrace.capture.journal import JournalLines
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import JOURNAL
from failtrace.capture.watch_status import FOLDER, WatchStatus, write_status
from failtrace.contracts import TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import InputError
from failtrace.execution.outcome import gather_evidence
from failtrace.execution.watched import Ended
from failtrace.execution.watched_call import under_way
from failtrace.mirror.fork_gate import at_work, forks
from failtrace.mirror.held_files import Held, are_held, held_files
from failtrace.recover import recover
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore
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
"""Between two files that say how the watching stands."""
HUNG_S = 30.0
"""After so long with one call a thread counts as hung, in a detector, say, and another takes its place."""
MAX_THREADS = 3


class Recorder:
    """Takes calls from any thread and never makes it wait; opens the store when the first one comes.

    What hosts call takes no lock that is not reentrant: they may be in a signal's handler, or in a finaliser.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Ended | None] = SimpleQueue()
        self._lock = threading.RLock()
        self._threads: dict[threading.Thread, float] = {}
        """Each with the moment since when it is busy; infinity for one that is not."""
        self._taken = self._done = 0
        self._progress = threading.Condition()
        self._hurry = threading.Event()
        """Set while somebody waits in `flush`."""
        self._flushing = 0
        self._storing = threading.Lock()
        self._store: TraceStore | None = None
        self._held: Held = {}
        self._forks = 0
        """After how many forks of this process they were looked at."""
        self._broken_until = 0.0
        self._looks_at = 0.0
        """When to look at what was left; 0 where nothing was."""
        self._tells_at = 0.0
        self.stored = self.left = 0

    def take(self, ended: Ended) -> None:
        """Have a call judged and, where it failed, stored."""
        # A signal's handler may raise anywhere; what is counted must come, or `flush` would wait for it in vain.
        full = self._taken - self._done >= MAX_WAITING or sys.is_finalizing()
        try:
            ended.journal.ended()
            if full:
                self._give_up(ended)
                return
            with self._lock:
                self._taken += 1
        finally:
            if ended.journal.has_ended and not full:
                self._waiting.put(ended)
        self._man()

    def wake(self) -> None:
        """Have it told that something changed."""
        if self._waiting.empty():
            self._waiting.put(None)
            self._man()

    def flush(self, timeout: float = EXIT_LIMIT_S) -> bool:
        """Wait until all that was taken so far is stored or left, `timeout` seconds at most; whether it is."""
        mark = self._taken
        with self._lock:
            self._flushing += 1
            self._hurry.set()
        try:
            with self._progress:
                return self._progress.wait_for(lambda: self._done >= mark, timeout)
        finally:
            with self._lock:
                self._flushing -= 1
                if not self._flushing:
                    self._hurry.clear()

    def status(self) -> WatchStatus:
        """The counts of this moment."""
        return WatchStatus(
            pid=os.getpid(),
            program=sanitise_text(" ".join(sys.argv), Marks(), 200),
            at=time.time(),
            waiting=self._taken - self._done,
            stored=self.stored,
            left=self.left,
            dropped=JOURNAL.dropped,
            in_memory_alone=JOURNAL.in_memory_alone,
            faults=FAULTS.count,
            last_fault=FAULTS.last,
        )

    def finish(self, timeout: float = EXIT_LIMIT_S) -> bool:
        """As `flush`, for the end of the program: nothing stays open, and what is not stored stays in the journal."""
        flushed = self.flush(timeout)
        with FAULTS:
            JOURNAL.end(under_way())
            self._tell()
            if flushed:
                self._close()
        return flushed

    def _man(self) -> None:
        """Have a thread at work that does not hang; none where there can be no more."""
        if sys.is_finalizing():
            return  # a thread that begins now never runs
        with self._lock:
            now = time.monotonic()
            if any(now - since < HUNG_S for since in self._threads.values()) or len(self._threads) >= MAX_THREADS:
                return
            if not self._threads and (multiprocessing := sys.modules.get("multiprocessing.util")):
                # Its children end without atexit.
                multiprocessing.Finalize(self, finish, exitpriority=0)
            thread = threading.Thread(target=self._work, name="failtrace-recorder", daemon=True)
            self._threads[thread] = now
            try:
                thread.start()
            except BaseException:
                del self._threads[thread]
                raise

    def _work(self) -> None:
        me = threading.current_thread()
        try:
            while True:
                self._threads[me] = math.inf
                ended = self._next()
                self._threads[me] = start = time.monotonic()
                if ended is not None:
                    with FAULTS:
                        self._record(ended)
                    # Through its function it holds the host's globals, which want to be finalised at exit.
                    ended = None
                    with self._progress:
                        self._done += 1
                        self._progress.notify_all()
                with FAULTS:
                    self._look_after()
                self._pause(time.monotonic() - start)
        finally:
            del self._threads[me]

    def _next(self) -> Ended | None:
        """What has waited longest; None when there is something else to look after."""
        with suppress(Empty):
            return self._waiting.get(timeout=TELL_S if self._looks_at else None)
        return None

    def _pause(self, taken: float) -> None:
        """As long as what was done has taken: the host has half of the interpreter to itself."""
        self._hurry.wait(min(taken, 1.0))

    def _record(self, ended: Ended) -> None:
        """Judge a call and store it, or leave it where that cannot be."""
        if ended.sure and self._is_broken() and not self._hurry.is_set() and self._leave(ended):
            return
        try:
            record = _judged(ended)
        # A detector's or our own: this one call cannot be told, and would not be told better later.
        except Exception as error:  # noqa: BLE001
            FAULTS.take(error)
            self._give_up(ended)
            return
        if record is None or self._store_away(ended, record):
            ended.journal.discard()

    def _store_away(self, ended: Ended, record: TraceRecord) -> bool:
        """Whether it is stored. While the store is out of order, only what the journal does not hold is waited for."""
        while True:
            try:
                with self._storing, at_work():  # no fork between the look at the descriptors and their use
                    self._opened().store_trace(record)
            except InputError as error:
                FAULTS.take(error)
                self._give_up(ended)
                return False
            except Exception as error:  # noqa: BLE001  whatever a disk, SQLite or a setting makes of it
                FAULTS.take(error)
                # Out of order: to be opened anew after a while.
                self._broken_until = time.monotonic() + RETRY_S
                self._close()
            else:
                self._broken_until = 0.0
                self.stored += 1
                return True
            if self._leave(ended):
                return False
            if self._hurry.wait(RETRY_S):
                self._give_up(ended)
                return False

    def _give_up(self, ended: Ended) -> None:
        """Leave a call to a recovery, or drop it and count that."""
        if not (ended.sure and self._leave(ended)):
            ended.journal.discard()
            JOURNAL.count_dropped()
            self.wake()

    def _leave(self, ended: Ended) -> bool:
        if not ended.journal.leave():
            return False
        with self._lock:
            self.left += 1
            self._looks_at = self._looks_at or time.monotonic() + RECOVER_S
        return True

    def _look_after(self) -> None:
        """Recover what was left, once the store is well again and nothing waits; tell how it all stands."""
        now = time.monotonic()
        if self._looks_at and now >= self._looks_at and self._waiting.empty() and not self._is_broken():
            # What is left from here on asks for another look.
            self._looks_at = 0.0
            try:
                JOURNAL.retire()
                with self._storing, at_work():
                    store = self._opened()
                recover(Settings.load().journal_path, store, between=self._pause)
            except BaseException:
                self._looks_at = now + RECOVER_S
                raise
        if now >= self._tells_at:
            self._tells_at = now + TELL_S
            self._tell()

    def _is_broken(self) -> bool:
        return time.monotonic() < self._broken_until

    def _opened(self) -> TraceStore:
        self._let_go_of_what_was_closed()
        store, now = self._store, forks()
        if store is None or self._forks != now:
            path = Settings.load().mirror_path
            if store is not None:
                store.mirror.disconnect()
            before = held_files(path)
            if store is None:
                store = self._store = TraceStore.open()
            else:
                store.mirror.connect()
            self._held = {fd: file for fd, file in held_files(path).items() if fd not in before}
            self._forks = now
        return store

    def _let_go_of_what_was_closed(self) -> None:
        """A store whose descriptors the program has closed is never touched again: they may be its own by now."""
        is_ours_alone = self._forks == forks()  # for a fork they are closed by ourselves
        if self._store is not None and is_ours_alone and not are_held(self._held):
            FAULTS.take(OSError(errno.EBADF, "The program has closed the descriptors of the mirror"))
            _abandoned.append(self._store)
            self._store = None

    def _close(self) -> None:
        with self._storing:
            self._let_go_of_what_was_closed()
            store, self._store = self._store, None
        if store is not None:
            with FAULTS:
                store.close()

    def _tell(self) -> None:
        """Leave word in the home, where there was trouble. A home that cannot be written has been told of already."""
        status = self.status()
        if status.troubled:
            with suppress(Exception):
                write_status(Settings.load().home / FOLDER, status)


def _judged(ended: Ended) -> TraceRecord | None:
    """The record of the call; None where it passed and was not sampled."""
    lines = ended.journal.lines()
    record = assemble(_with_evidence(lines, ended))
    export(record)
    return record if record.failure is not None or ended.sampled else None


def _with_evidence(lines: JournalLines, ended: Ended) -> JournalLines:
    """The subject's evidence is asked for here, by the recorded input: its source may take its time."""
    outcome = lines.last("outcome")
    if ended.subject.evidence is None or outcome is None or outcome["kind"] != "returned":
        return lines
    opened = lines.lines[0]
    evidence = gather_evidence(Capture(ended.journal), ended.subject, opened["input"])
    if evidence is not None and opened["marks"]["cut"]:
        evidence["cut"] = True
    told = {**outcome, "evidence": evidence}
    return JournalLines(tuple(told if line is outcome else line for line in lines.lines), lines.torn)


_abandoned: list[TraceStore] = []
"""Stores whose descriptors may be the program's by now: to close or free one would close those."""
_recorder = Recorder()
_inherited: list[Recorder] = []
"""Those of parents: never used nor freed, for to close a mirror of theirs here could act on its locks."""


def recorder() -> Recorder:
    """This process's recorder."""
    return _recorder


def finish() -> None:
    """Store what still waits, within EXIT_LIMIT_S, and leave the journal as a program does that ends well."""
    _recorder.finish()


def _begin_anew() -> None:
    """In a forked child, where no thread of the parent's runs."""
    global _recorder
    _inherited.append(_recorder)
    _recorder = Recorder()


FAULTS.listener = lambda: _recorder.wake()
atexit.register(finish)
os.register_at_fork(after_in_child=_begin_anew)

"""One call of a watched function, in the host's own thread: begun, and judged as far as its own objects are needed.

Nothing here raises into the host but what is the host's own (see `Faults`), and nothing waits for more
than a journal line: evidence, detectors and the store are asked by whoever the call is handed over to.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from asyncio import CancelledError
from types import FrameType
from typing import Any

from opentelemetry import trace

from failtrace.capture.capture import CURRENT
from failtrace.capture.exceptions import isinstance_safe
from failtrace.capture.glance import glance, read, read_input
from failtrace.capture.interrupts import TRACEBACK_OF
from failtrace.capture.redaction import keep_up
from failtrace.capture.tracing import join_global
from failtrace.capture.watch_capture import WatchedCapture
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_journal import JOURNAL, CallJournal
from failtrace.execution.outcome import raised_line
from failtrace.execution.watched import Ended, Watched

MAX_CHUNKS = 1000
"""Chunks of a generator that are kept for its contract, its evidence or a sample; of a longer one none is judged."""
MAX_CHUNK_BYTES = 16 << 20
"""The same in bytes: of texts and bytes whole, of containers and objects without what they refer to."""
NOT_ASKED = {"errored": "The process ended before the evidence was asked."}
"""What the journal says of the evidence of a call that returned; its recorder puts what it gave in the place of it."""
ROOM = 150
"""Frames that the stack must have room for, where the failure of a call is to be read."""
_chance = random.Random()  # noqa: S311  which calls are kept; and the host's own random numbers are left alone
os.register_at_fork(after_in_child=_chance.seed)


class WatchedCall:
    """One call, from `begin` to its end; between `pause` and `resume` it does not run."""

    __slots__ = (
        "_args",
        "_before",
        "_capture",
        "_chunks",
        "_journal",
        "_kept",
        "_kwargs",
        "_number",
        "_ran",
        "_resumed",
        "_sampled",
        "_told",
        "_too_much",
        "_watched",
        "_whole",
    )

    def __init__(self, watched: Watched, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._watched, self._args, self._kwargs = watched, args, kwargs
        self._capture: WatchedCapture | None = None
        self._journal: CallJournal | None = None
        self._resumed = self._ran = 0.0
        self._told = self._too_much = False

    def begin(self) -> None:
        """The function is about to run."""
        # Not `with FAULTS`, here and below, which costs where nothing happens.
        try:
            around = CURRENT.get()
            # What runs inside an execution of failtrace's own is told there.
            if around is None or type(around) is WatchedCapture:
                self._begin(around)
        except RecursionError:
            self._deep()
        except BaseException as fault:  # noqa: BLE001
            self._broke(fault)

    def resume(self) -> None:
        """It runs, and the steps of this context are its own; once more, where it runs already, nothing."""
        if self._capture is not None and not self._resumed:
            self._before = CURRENT.get()
            self._resumed = time.monotonic()
            CURRENT.set(self._capture)

    def pause(self) -> None:
        """It has ended, or waits at a `yield`. (No token: a generator may be closed in another context.)"""
        if self._resumed:
            CURRENT.set(self._before)
            self._ran += time.monotonic() - self._resumed
            self._resumed = 0.0

    def keep(self, chunk: Any) -> None:
        """One chunk of a generator, kept where the output will be looked at."""
        if self._capture is None or not (self._sampled or self._watched.needs_output) or self._too_much:
            return
        self._kept += (sys.getsizeof if id(type(chunk)) in _SIZED else object.__sizeof__)(chunk)
        self._too_much = self._kept > MAX_CHUNK_BYTES or len(self._chunks) >= MAX_CHUNKS
        if not self._too_much:
            self._chunks.append(chunk)

    def passed(self, result: Any) -> None:
        """The function has returned."""
        if self._capture is not None:
            try:
                self.pause()
                self._passed(self._capture, result)
            except BaseException as fault:  # noqa: BLE001
                self._broke(fault)

    def exhausted(self, *, closing: bool) -> None:
        """The generator has come to its end, by itself or because it was asked to, when nobody needed more of it."""
        if self._capture is not None:
            try:
                self._passed(self._capture, self._chunks, judged=not (self._too_much or closing))
            except BaseException as fault:  # noqa: BLE001
                self._broke(fault)

    def failed(self, error: BaseException) -> None:
        """The function has raised, or was interrupted, cancelled or closed."""
        if self._capture is not None:
            try:
                self.pause()
                _dig(ROOM)
                self._failed(self._capture, error)
            except RecursionError:
                # Deep in a recursion; the calls of the function around this one have more room to tell of it.
                self._deep()
            except BaseException as fault:  # noqa: BLE001
                self._broke(fault)

    def _deep(self) -> None:
        """There is no room on the stack, perhaps not even for this."""
        try:
            self.pause()
            if self._capture is not None and not self._capture.depth:
                JOURNAL.count_dropped()
            self._forget()
        except RecursionError:
            # Not `suppress`, which needs room as well.
            pass

    def _broke(self, fault: BaseException) -> None:
        """It was our fault: nobody hears of the call, and it does not stay under way."""
        with FAULTS:
            self.pause()
            self._forget()
        if not isinstance_safe(fault, RecursionError):
            FAULTS.take(fault)

    def _begin(self, around: WatchedCapture | None) -> None:
        join_global()
        watched = self._watched
        given, self._whole = glance(self._args, self._kwargs)
        told = b'"t":%d,%b,%b' % (time.time_ns(), watched.told, given)
        host = trace.get_current_span().get_span_context()
        if host.is_valid:
            told += b',"host_trace":"%032x"' % host.trace_id
        if around is not None:
            told += b',"within":%d' % around.number
        journal = JOURNAL.begin(told)
        if journal is None:
            return
        self._journal = journal
        self._number = journal.number
        self._sampled = watched.sample > 0 and _chance.random() < watched.sample
        self._chunks: list[Any] = []
        self._kept = 0
        self._capture = WatchedCapture(journal, around)
        self._before = around
        self._resumed = time.monotonic()
        CURRENT.set(self._capture)

    def _passed(self, capture: WatchedCapture, result: Any, *, judged: bool = True) -> None:
        if not (self._watched.may_return_failed or self._sampled):
            self._forget()
            return
        subject = self._watched.subject
        late = self._is_late()
        contract = self._watched.contract_of(result, capture.marks) if judged and not late else None
        violated = bool(contract and contract.get("violations"))
        asks = judged and not late and subject.evidence is not None
        if not (late or violated or asks or self._sampled):
            self._forget()
            return
        keep_up()
        line = {"k": "outcome", "t": time.time_ns(), "ms": self._ran * 1000, "kind": "returned", "contract": contract}
        output = None if late else read(result, capture.marks)
        self._end(
            capture,
            {**line, "evidence": NOT_ASKED if asks else None, "output": output, "tally": capture.tally(), "late": late},
            sure=late or violated or (self._sampled and not asks),
        )

    def _failed(self, capture: WatchedCapture, error: BaseException) -> None:
        late = self._is_late()
        if isinstance_safe(error, GeneratorExit):
            # Whoever iterated needed no more of it.
            self._passed(capture, None, judged=False)
            return
        cancelled_late = late and isinstance_safe(error, CancelledError)
        if cancelled_late or (self._watched.fails_by(error) and not self._was_told(error)):
            keep_up()
            self._end(capture, {**raised_line(capture, error, self._ran * 1000), "late": late}, sure=True)
        else:
            self._forget()

    def _is_late(self) -> bool:
        timeout = self._watched.subject.timeout
        return timeout is not None and self._ran > timeout

    def _was_told(self, error: BaseException) -> bool:
        """Whether the exception came out of an inner call of the same function, which has it already."""
        tb = TRACEBACK_OF(error)
        # Its locals are not read: they hold the exception, and would be kept by the frame, which the exception holds.
        own = tb.tb_frame if tb is not None else None
        while tb is not None:
            frame = tb.tb_frame
            if frame is not own and frame.f_globals.get("__name__") == _WRAPPERS:
                inner = frame.f_locals.get("call")
                if type(inner) is WatchedCall and self._is_around(inner):
                    self._told = True
                    return True
            tb = tb.tb_next
        return False

    def _is_around(self, inner: WatchedCall) -> bool:
        same = inner._watched.subject.name == self._watched.subject.name
        return same and inner._told and inner._number > self._number

    def _end(self, capture: WatchedCapture, outcome: dict[str, Any], *, sure: bool) -> None:
        """Write what came of it, and hand the call over."""
        journal = self._journal
        assert journal is not None
        capture.end()
        if not self._whole:
            journal.write_input(read_input(self._args, self._kwargs))
        if not journal.write({**outcome, "sampled": self._sampled}):
            # Without its end it would be told as one that was lost.
            self._forget()
            JOURNAL.count_dropped()
            return
        self._told = True
        self._watched.hand_over(Ended(journal, self._watched.subject, self._sampled, sure))
        self._let_go()

    def _forget(self) -> None:
        """It leaves nothing: it passed, or nobody can tell of it. What was handed over is the recorder's."""
        if self._capture is not None:
            self._capture.end()
        if self._journal is not None and not self._journal.has_ended:
            self._journal.discard()
        self._let_go()

    def _let_go(self) -> None:
        """A traceback that the host keeps holds this object: nothing of the call's should stay with it."""
        self._capture = self._journal = None
        self._args, self._kwargs, self._chunks = (), {}, []


def _dig(depth: int) -> None:
    """Raises RecursionError where the stack has less room than that."""
    if depth:
        _dig(depth - 1)


_SIZED = frozenset(map(id, (str, bytes, bytearray, list, dict, tuple, set, frozenset, int)))
"""Types whose own word on their size is asked; that of others would be the host's code, as their metaclass's is."""
_WRAPPERS = "failtrace.watching"


def under_way() -> set[int]:
    """The numbers of the calls that run in other threads at this moment, or hang there."""
    found = set()
    for thread, frame in sys._current_frames().items():
        at: FrameType | None = frame if thread != threading.get_ident() else None
        while at is not None:
            call = at.f_locals.get("call") if at.f_globals.get("__name__") == _WRAPPERS else None
            if type(call) is WatchedCall and call._journal is not None:
                found.add(call._number)
            at = at.f_back
    return found

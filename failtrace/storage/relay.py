"""The relay: takes the outbox of a mirror to Cosmos DB, in one process at a time, and never gives up.

Its own thread schedules and keeps the books; only the worker threads touch the network, so that a hanging Cosmos DB
never costs it the lease.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from failtrace.errors import FailtraceError, UnreadableRecord
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Buried, DeliveryMark, Holder, OutboxItem, Postponed
from failtrace.storage.backoff import backoff
from failtrace.storage.cosmos.delivery import CosmosFault, Delivered, FaultKind
from failtrace.storage.gate import Gate
from failtrace.storage.workers import Workers

SENDERS = 8
IN_FLIGHT = 32 * SENDERS
"""Records handed to the senders at once; refilled when half of them are answered."""
SMALL_BYTES = 256 * 1024
LINGER_S = 0.05
"""How long answers are gathered, so that many share one transaction."""
LEASE_S = 15.0
RENEW_S = 3.0
BOOKS_S = 1.0
"""How long a stopping relay may need for its books, besides."""
POLL_S = 0.5
"""How often the outbox is looked at for what other processes put there, and the lease by those who lack it."""
PROBE_S = 5.0
"""How often a paused relay tries again: a person who mended the cause sees it move."""
UPKEEP_S = 30.0
"""How often other machines' failures are looked for, and what outlived its retention."""

_log = logging.getLogger("failtrace")

Parcel = tuple[OutboxItem, bytes | None]
"""What waits, with its encoded record; None where whoever sends it has to read it: it is large, or damaged."""
Result = tuple[Parcel, Delivered | BaseException]


class Sender(Protocol):
    """What the relay delivers to."""

    def send(self, failure_id: str, body: bytes) -> Delivered:
        """Store one record. Raises CosmosFault."""


class Relay:
    """Delivers the outbox of a mirror while it holds the mirror's lease; others stand by."""

    def __init__(
        self,
        mirror: Mirror,
        sender: Sender,
        *,
        upkeep: Callable[[], object] = lambda: None,
        upkeep_at_once: bool = False,
        senders: int = SENDERS,
        lease_s: float = LEASE_S,
    ) -> None:
        """`upkeep` is called now and then in a thread of its own, while the lease is held: sync and retention."""
        self._mirror = mirror
        self._outbox = mirror.outbox
        self._sender = sender
        self._upkeep = upkeep
        self._upkeep_at = 0.0 if upkeep_at_once else time.monotonic() + UPKEEP_S
        self._upkeep_thread: threading.Thread | None = None
        self._senders = senders
        self._lease_s = lease_s
        self._renew_at = 0.0
        self._holds = False
        self._told_pause = True
        """Whether the mirror may say that the relay is paused; an earlier holder may have said so."""
        self.paused: str | None = None
        """What a person has to mend before anything can go out, as seen by this relay."""
        self._gate = Gate()
        self._flying: set[int] = set()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._leave_by = 0.0
        """Until when `stop` waits for what is in flight."""
        self._thread: threading.Thread | None = None
        self.holder = Holder(name=uuid.uuid4().hex, pid=os.getpid(), host=socket.gethostname())

    def start(self) -> None:
        """Begin, in a daemon thread. Idempotent. Raises RuntimeError where no thread can be had."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="failtrace-relay", daemon=True)
            thread.start()
            self._thread = thread

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def stop(self, timeout: float = 1.0) -> None:
        """End, after what is in flight or `timeout` seconds, and leave the lease to others. Idempotent.

        What was not delivered stays in the outbox.
        """
        self._leave_by = time.monotonic() + timeout
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout + BOOKS_S)

    def _run(self) -> None:
        workers: Workers[Parcel, Delivered] = Workers(self._send, self._senders, "failtrace-send")
        try:
            while not self._stop.is_set():
                try:
                    self._turn(workers)
                # The mirror is full, locked or gone, or an error of ours that nobody foresaw: nothing is lost by
                # waiting, and a relay that ended would deliver no more.
                except Exception as error:  # noqa: BLE001
                    _log.debug("The relay could not go on: %s: %s", type(error).__name__, error)
                    self._stop.wait(1.0)
            self._leave(workers)
        finally:
            workers.close()

    def _turn(self, workers: Workers[Parcel, Delivered]) -> None:
        if not self._keep_lease():
            self._file(workers.collect(0.0))
            self._pause(POLL_S)
            return
        self._start_upkeep()
        if workers.in_flight <= IN_FLIGHT // 2:
            self._refill(workers)
        if not workers.in_flight:
            self._pause(POLL_S)
            return
        self._file(workers.collect(POLL_S, LINGER_S))
        if self._gate.shut_now:
            self._flying.difference_update(item.execution_id for item, _ in workers.recall())

    def _refill(self, workers: Workers[Parcel, Delivered]) -> None:
        room = self._gate.room(IN_FLIGHT - workers.in_flight, workers.in_flight)
        waiting = self._outbox.due(room + len(self._flying)) if room else ()
        fresh = [item for item in waiting if item.execution_id not in self._flying][:room]
        # Read together: many short queries by as many threads would take turns at the interpreter's lock.
        bodies = self._outbox.bodies(fresh, SMALL_BYTES) if fresh else {}
        for item in fresh:
            workers.submit((item, bodies.get(item.execution_id)))
            # Only now: what no thread could be had for is tried again.
            self._flying.add(item.execution_id)

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _keep_lease(self) -> bool:
        if not self._holds or time.monotonic() >= self._renew_at:
            held = self._holds
            self._holds = self._outbox.acquire(self.holder, self._lease_s, _may_live)
            self._renew_at = time.monotonic() + min(RENEW_S, self._lease_s / 5)
            if self._holds and not held:
                # A fresh holder tries at once what an earlier one had put off.
                self._outbox.hurry()
        return self._holds

    def _send(self, parcel: Parcel) -> Delivered:
        item, body = parcel
        body = body or self._mirror.record(item.failure_id)
        if body is None:
            raise CosmosFault(
                f"The record {item.failure_id!r} is no longer in the mirror, so it cannot be sent.", FaultKind.POISON
            )
        return self._sender.send(item.failure_id, body)

    def _file(self, results: Sequence[Result]) -> None:
        """Keep the books. What a crash leaves unmarked is sent again, and found to be there."""
        if not results:
            return
        self._flying.difference_update(item.execution_id for (item, _), _ in results)
        now = datetime.now(UTC)
        delivered = [(item, result) for (item, _), result in results if isinstance(result, Delivered)]
        faults = [(item, _fault(result)) for (item, _), result in results if isinstance(result, BaseException)]
        for _, fault in faults:
            if fault.kind is FaultKind.TRANSIENT:
                self._gate.fault(fault.retry_after_s or 0.0)
            elif fault.kind is FaultKind.SETUP:
                self._gate.shut(PROBE_S)
        self._outbox.delivered([_mark(item, result, now) for item, result in delivered])
        # Whom the service refuses one record takes others: what it was paused for is mended.
        if delivered or any(fault.kind is FaultKind.POISON and fault.status for _, fault in faults):
            self._tell_pause(None)
            if self._gate.success():
                self._outbox.hurry()
        self._file_faults(faults, now)

    def _file_faults(self, faults: Sequence[tuple[OutboxItem, CosmosFault]], now: datetime) -> None:
        poison = [(item, fault) for item, fault in faults if fault.kind is FaultKind.POISON]
        later = [(item, fault) for item, fault in faults if fault.kind is not FaultKind.POISON]
        if poison:
            self._outbox.bury([Buried(item.execution_id, fault.status, str(fault)) for item, fault in poison])
        if later:
            self._outbox.postpone(
                [Postponed(item.execution_id, now + _delay(item, fault), str(fault)) for item, fault in later]
            )
        setup = [fault for _, fault in later if fault.kind is FaultKind.SETUP]
        if setup:
            self._tell_pause(str(setup[-1]))

    def _tell_pause(self, sentence: str | None) -> None:
        self.paused = sentence
        if sentence is not None or self._told_pause:
            self._outbox.pause(sentence)
            self._told_pause = sentence is not None

    def _start_upkeep(self) -> None:
        running = self._upkeep_thread is not None and self._upkeep_thread.is_alive()
        if running or time.monotonic() < self._upkeep_at:
            return
        self._upkeep_at = time.monotonic() + UPKEEP_S
        self._upkeep_thread = threading.Thread(target=self._look_after, name="failtrace-upkeep", daemon=True)
        self._upkeep_thread.start()

    def _look_after(self) -> None:
        try:
            self._upkeep()
        # A sync notes why it failed; whatever it was, the next one is half a minute away.
        except Exception as error:  # noqa: BLE001
            _log.debug("The upkeep of the mirror could not go on: %s: %s", type(error).__name__, error)

    def _leave(self, workers: Workers[Parcel, Delivered]) -> None:
        """What is being sent is marked when it is answered in time, so that nobody sends it twice; then others may."""
        workers.recall()
        try:
            while workers.in_flight and (left := self._leave_by - time.monotonic()) > 0 and self._keep_lease():
                self._file(workers.collect(min(POLL_S, left)))
            self._file(workers.collect(0.0))
            if self._holds:
                self._outbox.release(self.holder)
        except FailtraceError as error:
            _log.debug("The relay could not release its lease: %s", error)


def _mark(item: OutboxItem, result: Delivered, now: datetime) -> DeliveryMark:
    return DeliveryMark(
        execution_id=item.execution_id,
        at=now,
        request_charge=result.request_charge,
        activity_id=result.activity_id,
        parts=result.parts,
        attempts=item.attempts + 1,
    )


def _fault(error: BaseException) -> CosmosFault:
    if isinstance(error, CosmosFault):
        return error
    if isinstance(error, UnreadableRecord):
        return CosmosFault(str(error), FaultKind.POISON)
    if isinstance(error, FailtraceError):
        return CosmosFault(str(error), FaultKind.TRANSIENT)
    # An error of ours that nobody foresaw must not drop a record: it stays, and the error shows.
    return CosmosFault(
        f"A record could not be sent to Cosmos DB ({type(error).__name__}: {error}); please report this.",
        FaultKind.TRANSIENT,
    )


def _delay(item: OutboxItem, fault: CosmosFault) -> timedelta:
    if fault.kind is FaultKind.SETUP:
        return timedelta(seconds=PROBE_S)
    return timedelta(seconds=backoff(item.attempts, fault.retry_after_s or 0.0))


def _may_live(holder: Holder) -> bool:
    """False only where it is certain that the holder's process is gone."""
    if holder.host != socket.gethostname():
        return True
    try:
        os.kill(holder.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True

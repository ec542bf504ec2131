"""TraceStore: where a record goes when an execution has ended, and where a failure_id is looked up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic_core import PydanticSerializationError

from failtrace.capture.redaction import follow
from failtrace.codec import digest, encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import InputError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.rescue import open_or_rescue
from failtrace.settings import Settings
from failtrace.storage.backend import TraceBackend
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.forks import renew_in_child
from failtrace.storage.lookup import PATIENCE_S, Found, JournalLookup, Lookup
from failtrace.storage.memory import MemoryBackend
from failtrace.storage.relay import Relay
from failtrace.storage.sync import Sync, SyncReport

StoreKind = Literal["auto", "memory", "cosmos"]
FLUSH_POLL_S = 0.05
OTHERS_POLL_S = 1.0
"""How often a flush looks at the relay of another process: long enough for ours to take a lease that is free."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A record is durably in the mirror, under these ids.

    They are the ids of what is stored: a trace_id that was there before keeps its first record, and the
    receipt of a second one names that first.
    """

    trace_id: str
    failure_id: str | None
    sha256: str
    stored_at: datetime
    delivered: bool
    """Whether nothing of it is still on its way to the store."""


@dataclass(frozen=True, slots=True)
class FlushResult:
    """How many failures have reached the store since it was opened, and how many are still on their way."""

    delivered: int
    pending: int


def _cosmos(settings: Settings) -> TraceBackend:
    return CosmosBackend(CosmosAccount.from_settings(settings), retention_days=settings.retention_days)


_BACKENDS: dict[str, Callable[[Settings], TraceBackend]] = {
    "memory": lambda _: MemoryBackend(),
    "cosmos": _cosmos,
}


_log = logging.getLogger("failtrace")


class TraceStore:
    """Keeps records durably in the mirror, and failures in a backend besides. Thread-safe.

    To a backend behind a network a relay delivers, in threads of its own: storing never waits for it.
    """

    def __init__(
        self,
        mirror: Mirror,
        backend: TraceBackend,
        *,
        journal_lookup: JournalLookup | None = None,
        retention_days: int | None = None,
    ) -> None:
        """`journal_lookup` finds a record by trace_id or failure_id that was not stored yet."""
        self._mirror = mirror
        self._backend = backend
        self._lookup = Lookup(mirror, backend, journal_lookup)
        self._retention_days = retention_days
        self._relay: Relay | None = None
        self._closed = False
        self._told_no_thread = False
        self._lock = threading.Lock()
        self._opened_at = datetime.now(UTC)
        self._delivered = 0
        renew_in_child(self)

    @classmethod
    def open(
        cls,
        kind: StoreKind = "auto",
        *,
        settings: Settings | None = None,
        journal_lookup: JournalLookup | None = None,
    ) -> Self:
        """The store of this environment. `auto` is Cosmos DB where COSMOS_ENDPOINT is set, else memory.

        Touches no network. Raises InputError for an unknown kind, SettingsError for settings of Cosmos DB that cannot
        be used, and StoreError where the mirror cannot be opened.
        """
        settings = settings or Settings.load()
        follow(settings)
        chosen = kind if kind != "auto" else "cosmos" if settings.cosmos_endpoint else "memory"
        if chosen not in _BACKENDS:
            known = ", ".join(repr(name) for name in ("auto", *_BACKENDS))
            raise InputError(f"There is no store {kind!r}; choose one of {known}.")
        backend = _BACKENDS[chosen](settings)
        mirror, found = open_or_rescue(settings.mirror_path, settings.keep_passed, outbox=backend.remote)
        if found is not None:
            _log.warning(found.told)
        return cls(mirror, backend, journal_lookup=journal_lookup, retention_days=settings.retention_days)

    @property
    def mirror(self) -> Mirror:
        """The local SQLite mirror."""
        return self._mirror

    @property
    def kind(self) -> str:
        """Which backend holds the failures, e.g. `memory`."""
        return self._backend.name

    @property
    def backend(self) -> TraceBackend:
        """The store of failures."""
        return self._backend

    def store_trace(self, record: TraceRecord) -> Receipt:
        """Store one record; returns after the mirror's durable commit. See `store_traces`."""
        return self.store_traces((record,))[0]

    def store_traces(self, records: Iterable[TraceRecord]) -> tuple[Receipt, ...]:
        """Store records in one transaction, all or none; gives a receipt for each, in order.

        Raises StoreError where the mirror cannot take them, InputError for a record that is no valid JSON.
        """
        items = [(record, _encoded(record)) for record in records]
        at = datetime.now(UTC)
        digests = [digest(body) for _, body in items]
        fresh = self._mirror.write(items, at=at, digests=digests, outbox=self._backend.remote)
        given = [
            Receipt(
                record.trace_id, record.failure_id, sha256, at, delivered=not (self._backend.remote and record.failure)
            )
            for (record, _), sha256 in zip(items, digests, strict=True)
        ]
        kept = given if fresh == len(items) else [self._as_stored(receipt) for receipt in given]
        # Only what the mirror took, or holds in the same bytes, goes to the backend.
        self._deliver(
            [
                (receipt.failure_id, body)
                for (_, body), asked, receipt in zip(items, given, kept, strict=True)
                if receipt.failure_id and receipt.sha256 == asked.sha256
            ]
        )
        return tuple(kept)

    def get_trace(self, any_id: str) -> TraceRecord | None:
        """The record of a failure_id or a trace_id; None for any other text. See `lookup`."""
        found = self.lookup(any_id)
        return found.record if found else None

    def lookup(self, any_id: str, patience_s: float = PATIENCE_S) -> Found | None:
        """The record of a failure_id or a trace_id, with who answered; None for any other text.

        Asks the store, else the mirror, else the journal, and waits for the store `patience_s` seconds at most. Raises
        UnreadableRecord where the record is damaged wherever it is, NoAnswer where nobody here has it and the store did
        not answer in time, StoreError where none could be asked.
        """
        return self._lookup.find(any_id, patience_s)

    def raw(self, any_id: str, patience_s: float = PATIENCE_S) -> bytes | None:
        """The stored bytes of a record, undecoded: also of one that this version cannot read."""
        return self._lookup.raw(any_id, patience_s)

    def start_delivery(self, *, sync: bool = False) -> None:
        """Have the relay at work, which also begins by itself with the first failure; nothing where there is none.

        With `sync` it looks at once for what other machines wrote, else only after a while.
        """
        if not self._backend.remote:
            return
        with self._lock:
            if self._closed or self._relay is not None:
                return
            relay = Relay(self._mirror, self._cosmos, upkeep=self.upkeep, upkeep_at_once=sync)
            try:
                relay.start()
            except RuntimeError as error:
                # What was stored is safe in the mirror: the next to store, or another process, tries again.
                if not self._told_no_thread:
                    _log.warning("Failures wait in the mirror, for the relay has no thread yet (%s).", error)
                self._told_no_thread = True
                return
            self._relay = relay

    @property
    def source(self) -> str:
        """The name under which the mirror keeps what it knows of this store."""
        return self._cosmos.account.label if self._backend.remote else self._backend.name

    def sync(self, *, retry_unreadable: bool = False) -> SyncReport:
        """Bring in the failures that other machines wrote to the store. Raises StoreError.

        `retry_unreadable` reads again what could not be read before: after an upgrade it may be.
        """
        if not self._backend.remote:
            return SyncReport()
        sync = Sync(self._mirror, self._cosmos, self.source)
        again = sync.retry_unreadable() if retry_unreadable else 0
        report = sync.run()
        return replace(report, received=report.received + again)

    def retain(self) -> int:
        """Drop what is older than the retention allows; gives how many executions went."""
        return self._mirror.retain(self._retention_days) if self._retention_days else 0

    def upkeep(self) -> None:
        """What the relay sees to now and then: retention, then sync."""
        self.retain()
        self.sync()

    def flush(self, timeout: float = 10.0) -> FlushResult:
        """Wait up to `timeout` seconds until nothing of this mirror is on its way to the store.

        Gives up early while the relay, this one or another process's, is paused for something that a person has to
        mend.
        """
        if not self._backend.remote:
            return FlushResult(self._delivered, 0)
        give_up = time.monotonic() + timeout
        outbox = self._mirror.outbox
        if outbox.pending():
            self.start_delivery()
        looked_at = time.monotonic()
        while (pending := outbox.pending()) and (now := time.monotonic()) < give_up:
            if (relay := self._relay) and relay.paused:
                break
            if now - looked_at >= OTHERS_POLL_S:
                looked_at = now
                if self._another_is_paused():
                    break
            time.sleep(max(0.0, min(FLUSH_POLL_S, give_up - time.monotonic())))
        return FlushResult(outbox.delivered_since(self._opened_at), pending)

    def why_pending(self) -> str:
        """One sentence on what keeps failures from the store; empty where nothing is known."""
        status = self._mirror.outbox.status()
        return status.paused or status.last_error or ""

    def close(self) -> None:
        """Close the mirror and the backend; what was not delivered waits in the outbox. Idempotent."""
        with self._lock:
            self._closed = True
            relay, self._relay = self._relay, None
        if relay is not None:
            relay.stop()
        # The mirror first: a sync under way is cut off, which is no fault of Cosmos DB's to be noted there.
        self._mirror.close()
        self._backend.close()

    def begin_anew(self) -> None:
        """In a forked child: the parent's relay is not here, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._relay = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _cosmos(self) -> CosmosBackend:
        assert isinstance(self._backend, CosmosBackend)
        return self._backend

    def _another_is_paused(self) -> bool:
        status, relay = self._mirror.outbox.status(), self._relay
        ours = relay is not None and status.holder == relay.holder
        return bool(status.paused and status.holder and not ours)

    def _deliver(self, failures: Sequence[tuple[str, bytes]]) -> None:
        if not failures:
            return
        if self._backend.remote:
            self.start_delivery()
            if (relay := self._relay) is not None:
                relay.wake()
            return
        self._backend.put(failures)
        with self._lock:
            self._delivered += len(failures)

    def _as_stored(self, receipt: Receipt) -> Receipt:
        identity = self._mirror.identity(receipt.trace_id)
        if identity is None:
            return receipt
        failure_id = identity.failure_id
        pending = self._backend.remote and failure_id is not None and self._mirror.outbox.is_pending(failure_id)
        return replace(
            receipt,
            failure_id=failure_id,
            sha256=identity.sha256,
            stored_at=identity.stored_at,
            delivered=not pending,
        )


def _encoded(record: TraceRecord) -> bytes:
    try:
        return encode_record(record)
    except PydanticSerializationError as error:
        raise InputError(
            f"The record {record.trace_id!r} cannot be written as JSON ({error}); "
            "pass its values through failtrace's sanitiser first."
        ) from error

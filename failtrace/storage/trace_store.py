"""TraceStore: where a record goes when an execution has ended, and where a failure_id is looked up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic_core import PydanticSerializationError

from failtrace.codec import decode_record, digest, encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import InputError, StoreError
from failtrace.mirror.lists import TRACE_ID_LENGTH
from failtrace.mirror.mirror import Mirror
from failtrace.settings import Settings
from failtrace.storage.backend import TraceBackend
from failtrace.storage.memory import MemoryBackend

StoreKind = Literal["auto", "memory", "cosmos"]
Source = Literal["memory", "mirror", "journal"]
JournalLookup = Callable[[str], TraceRecord | None]


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
class Found:
    """A record, who answered, and when it was stored (None where that is not known)."""

    record: TraceRecord
    source: Source
    stored_at: datetime | None


@dataclass(frozen=True, slots=True)
class FlushResult:
    """How many failures have reached the store since it was opened, and how many are still on their way."""

    delivered: int
    pending: int


def _no_cosmos(settings: Settings) -> TraceBackend:
    asked = f"COSMOS_ENDPOINT={settings.cosmos_endpoint!r}" if settings.cosmos_endpoint else "store 'cosmos'"
    raise StoreError(
        f"Failures cannot be kept in Cosmos DB ({asked}): this version of failtrace keeps them in memory and "
        "in the mirror; unset COSMOS_ENDPOINT or use the store 'memory'."
    )


_BACKENDS: dict[str, Callable[[Settings], TraceBackend]] = {
    "memory": lambda _: MemoryBackend(),
    "cosmos": _no_cosmos,
}


class TraceStore:
    """Keeps records durably in the mirror, and failures in a backend besides. Thread-safe."""

    def __init__(
        self,
        mirror: Mirror,
        backend: TraceBackend,
        *,
        journal_lookup: JournalLookup | None = None,
    ) -> None:
        """`journal_lookup` finds a record by trace_id or failure_id that was not stored yet."""
        self._mirror = mirror
        self._backend = backend
        self._journal_lookup = journal_lookup
        self._delivered = 0
        self._counting = threading.Lock()

    @classmethod
    def open(
        cls,
        kind: StoreKind = "auto",
        *,
        settings: Settings | None = None,
        journal_lookup: JournalLookup | None = None,
    ) -> Self:
        """The store of this environment. `auto` is Cosmos DB where COSMOS_ENDPOINT is set, else memory.

        Raises InputError for an unknown kind, and StoreError where the store or the mirror cannot be opened.
        """
        settings = settings or Settings.load()
        chosen = kind if kind != "auto" else "cosmos" if settings.cosmos_endpoint else "memory"
        if chosen not in _BACKENDS:
            known = ", ".join(repr(name) for name in ("auto", *_BACKENDS))
            raise InputError(f"There is no store {kind!r}; choose one of {known}.")
        backend = _BACKENDS[chosen](settings)
        mirror = Mirror.open(settings.mirror_path, settings.keep_passed)
        return cls(mirror, backend, journal_lookup=journal_lookup)

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
        fresh = self._mirror.write(items, at=at, digests=digests)
        given = [
            Receipt(record.trace_id, record.failure_id, sha256, at, delivered=True)
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
        """The record of a failure_id or a trace_id; None for any other text.

        Raises UnreadableRecord where it is damaged wherever it is, StoreError where none could be asked.
        """
        found = self._find(any_id)
        return found.record if found else None

    def lookup(self, any_id: str) -> Found | None:
        """As `get_trace`, with who answered and when the record was stored."""
        found = self._find(any_id)
        if found is None or found.source != "memory":
            return found
        try:
            identity = self._mirror.identity(found.record.trace_id)
        except StoreError:
            identity = None
        return replace(found, stored_at=identity.stored_at if identity else None)

    def raw(self, any_id: str) -> bytes | None:
        """The stored bytes of a record, undecoded: also of one that this version cannot read."""
        body = self._from_backend(any_id)
        if body is None:
            body = self._mirror.record(any_id)
        if body is None and self._journal_lookup and (record := self._journal_lookup(any_id)):
            body = encode_record(record)
        return body

    def flush(self, timeout: float = 10.0) -> FlushResult:  # noqa: ARG002  (memory has nothing to wait for)
        """Wait up to `timeout` seconds until failures have reached the store."""
        return FlushResult(delivered=self._delivered, pending=0)

    def close(self) -> None:
        """Close the mirror and the backend. Idempotent."""
        self._backend.close()
        self._mirror.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deliver(self, failures: Sequence[tuple[str, bytes]]) -> None:
        self._backend.put(failures)
        with self._counting:
            self._delivered += len(failures)

    def _as_stored(self, receipt: Receipt) -> Receipt:
        identity = self._mirror.identity(receipt.trace_id)
        if identity is None:
            return receipt
        return replace(receipt, failure_id=identity.failure_id, sha256=identity.sha256, stored_at=identity.stored_at)

    def _find(self, any_id: str) -> Found | None:
        """Backend, else mirror, else journal; what one cannot read, the next may."""
        problem: StoreError | None = None
        for source in (self._found_in_backend, self._found_in_mirror, self._found_in_journal):
            try:
                found = source(any_id)
            except StoreError as error:
                problem = problem or error
            else:
                if found:
                    return found
        if problem:
            raise problem
        return None

    def _found_in_backend(self, any_id: str) -> Found | None:
        body = self._from_backend(any_id)
        return None if body is None else Found(decode_record(body), "memory", None)

    def _from_backend(self, any_id: str) -> bytes | None:
        body = self._backend.get(any_id)
        if body is not None or len(any_id) != TRACE_ID_LENGTH:
            return body
        identity = self._mirror.identity(any_id)
        return self._backend.get(identity.failure_id) if identity and identity.failure_id else None

    def _found_in_mirror(self, any_id: str) -> Found | None:
        stored = self._mirror.stored(any_id)
        return None if stored is None else Found(decode_record(stored.body), "mirror", stored.stored_at)

    def _found_in_journal(self, any_id: str) -> Found | None:
        record = self._journal_lookup(any_id) if self._journal_lookup else None
        return None if record is None else Found(record, "journal", None)


def _encoded(record: TraceRecord) -> bytes:
    try:
        return encode_record(record)
    except PydanticSerializationError as error:
        raise InputError(
            f"The record {record.trace_id!r} cannot be written as JSON ({error}); "
            "pass its values through failtrace's sanitiser first."
        ) from error

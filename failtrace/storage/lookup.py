"""One record by its id: the store, else the mirror, else the journal, and the caller waits no longer than it wants."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from failtrace.codec import decode_record, encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import NoAnswer, StoreError
from failtrace.mirror.bodies import Identity
from failtrace.mirror.lists import TRACE_ID_LENGTH
from failtrace.mirror.mirror import Mirror
from failtrace.storage.backend import TraceBackend
from failtrace.storage.forks import renew_in_child

Answer = TypeVar("Answer")
JournalLookup = Callable[[str], TraceRecord | None]

PATIENCE_S = 10.0
GRACE_S = 0.4
"""How long a store may take while the mirror has the answer already."""
RETRY_S = 0.15
"""A record that another region has just written may need this long to be readable here."""
YOUNG_S = 60.0
MOST_ASKED = 32
"""Questions that may be under way at once; each holds a thread until the store answers or gives up."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record, who answered, and when it was stored (None where that is not known)."""

    record: TraceRecord
    source: str
    """The name of the store (`memory`, `cosmos`), `mirror` or `journal`."""
    stored_at: datetime | None
    body: bytes
    """The encoded record, as it was stored."""
    note: str = ""
    """One sentence on why the store did not answer; empty where it did."""


class Lookup:
    """Finds records by failure_id or trace_id. Thread-safe."""

    def __init__(self, mirror: Mirror, backend: TraceBackend, journal: JournalLookup | None) -> None:
        self._mirror = mirror
        self._backend = backend
        self._journal = journal
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """With no question under way; in a forked child the parent's are not."""
        self._ask = _in_thread(self._backend.get) if self._backend.remote else _at_once(self._backend.get)

    def find(self, any_id: str, patience_s: float = PATIENCE_S) -> Found | None:
        """The record of an id, None where there is none; what one place cannot read, the next may.

        Raises UnreadableRecord where it is damaged wherever it is, NoAnswer where nobody here has it and the store did
        not answer within `patience_s` seconds, StoreError where none could be asked.
        """
        give_up = time.monotonic() + patience_s
        problems: list[StoreError] = []
        identity = _tried(lambda: self._mirror.identity(any_id), problems)
        in_store = _tried(lambda: self._from_store(any_id, identity, give_up), problems)
        note = str(problems[0]) if problems else ""
        if in_store is not None:
            return in_store
        for place in (self._from_mirror, self._from_journal):
            if (found := _tried(partial(place, any_id, note), problems)) is not None:
                return found
        if told := _worth_telling(problems):
            raise told
        return None

    def raw(self, any_id: str, patience_s: float = PATIENCE_S) -> bytes | None:
        """The stored bytes of a record, undecoded: also of one that this version cannot read.

        Raises UnreadableRecord where they are not those that were stored, NoAnswer and StoreError as `find` does.
        """
        give_up = time.monotonic() + patience_s
        problems: list[StoreError] = []
        identity = _tried(lambda: self._mirror.identity(any_id), problems)
        body = _tried(lambda: self._body_in_store(any_id, identity, give_up), problems)
        if body is None:
            body = _tried(lambda: self._mirror.record(any_id), problems)
        if body is None and self._journal and (record := self._journal(any_id)):
            body = encode_record(record)
        if body is None and (told := _worth_telling(problems)):
            raise told
        return body

    def _from_store(self, any_id: str, identity: Identity | None, give_up: float) -> Found | None:
        body = self._body_in_store(any_id, identity, give_up)
        if body is None:
            return None
        return Found(decode_record(body), self._backend.name, identity.stored_at if identity else None, body)

    def _body_in_store(self, any_id: str, identity: Identity | None, give_up: float) -> bytes | None:
        """One point read by failure_id. Raises _Undelivered where it is known that the store lacks it."""
        failure_id = identity.failure_id if identity else any_id if len(any_id) != TRACE_ID_LENGTH else None
        if failure_id is None:
            return None
        if not self._backend.remote:
            return self._ask(failure_id).result()
        if identity and self._mirror.outbox.is_pending(failure_id):
            raise _Undelivered("Not delivered to Cosmos DB yet; `failtrace sync --status` tells why.")
        grace_s = GRACE_S if identity else math.inf
        body = self._answer(failure_id, min(give_up, time.monotonic() + grace_s))
        if body is None and (identity or _is_young(failure_id)):
            time.sleep(max(0.0, min(RETRY_S, give_up - time.monotonic())))
            body = self._answer(failure_id, min(give_up, time.monotonic() + grace_s))
        return body

    def _answer(self, failure_id: str, give_up: float) -> bytes | None:
        question = self._ask(failure_id)
        try:
            return question.result(max(0.0, give_up - time.monotonic()))
        except NotYet as error:
            raise NoAnswer(
                f"Cosmos DB did not answer in time when asked for {failure_id!r}; try again, or see how it is with "
                "`failtrace sync --status`."
            ) from error

    def _from_mirror(self, any_id: str, note: str) -> Found | None:
        held = self._mirror.stored(any_id)
        return None if held is None else Found(decode_record(held.body), "mirror", held.stored_at, held.body, note)

    def _from_journal(self, any_id: str, note: str) -> Found | None:
        record = self._journal(any_id) if self._journal else None
        return None if record is None else Found(record, "journal", None, encode_record(record), note)


class _Undelivered(StoreError):
    """The mirror knows that the store cannot have the record yet."""


def _worth_telling(problems: list[StoreError]) -> StoreError | None:
    """What kept a record from being found; that it was not delivered yet is no reason."""
    return next((problem for problem in problems if not isinstance(problem, _Undelivered)), None)


def _tried(look: Callable[[], Answer | None], problems: list[StoreError]) -> Answer | None:
    try:
        return look()
    except StoreError as error:
        problems.append(error)
        return None


def _at_once(get: Callable[[str], bytes | None]) -> Callable[[str], Future[bytes | None]]:
    def ask(failure_id: str) -> Future[bytes | None]:
        question: Future[bytes | None] = Future()
        question.set_result(get(failure_id))
        return question

    return ask


def _in_thread(get: Callable[[str], bytes | None]) -> Callable[[str], Future[bytes | None]]:
    """Ask in a daemon thread for each question, so many at once at most: a store that hangs holds no caller."""
    under_way = threading.Semaphore(MOST_ASKED)

    def answer(question: Future[bytes | None], failure_id: str) -> None:
        try:
            question.set_result(get(failure_id))
        # Handed to whoever waits for it, whatever it is.
        except BaseException as error:  # noqa: BLE001
            question.set_exception(error)
        finally:
            under_way.release()

    def ask(failure_id: str) -> Future[bytes | None]:
        question: Future[bytes | None] = Future()
        if not under_way.acquire(blocking=False):
            question.set_exception(NoAnswer("Cosmos DB has not answered earlier questions yet; try again later."))
            return question
        try:
            threading.Thread(target=answer, args=(question, failure_id), name="failtrace-ask", daemon=True).start()
        except RuntimeError as error:
            under_way.release()
            question.set_exception(NoAnswer(f"Cosmos DB could not be asked for lack of a thread ({error}); try again."))
        return question

    return ask


def _is_young(failure_id: str) -> bool:
    """Whether a failure_id was given in the last minute, by the time in it (UUIDv7, RFC 9562)."""
    try:
        milliseconds = UUID(failure_id).int >> 80
    except ValueError:
        return False
    return abs(time.time() - milliseconds / 1000) < YOUNG_S

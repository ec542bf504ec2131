"""Failures in Cosmos DB: one item each, looked up by one point read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from failtrace.errors import StoreError, UnreadableRecord
from failtrace.storage.backend import BackendHealth
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.client import CosmosConnection, closed_fault
from failtrace.storage.cosmos.delivery import Change, CosmosFault, Delivered, FaultKind
from failtrace.storage.cosmos.faults import READ_SESSION_NOT_AVAILABLE, SENDING, fault_of, missing_container
from failtrace.storage.cosmos.item import Item, body_of, is_part, items_of, part_ids
from failtrace.storage.cosmos.provision import provision
from failtrace.storage.cosmos.sdk import sdk

if TYPE_CHECKING:
    from azure.cosmos import ContainerProxy

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What can be one of our ids; anything else is never asked for."""
_CHANGES = "SELECT c.id, c.failure_id, c._ts FROM c WHERE c._ts >= @since ORDER BY c._ts"
_BY_ID = "SELECT * FROM c WHERE c.id = @id"
_TTL_MOST = 2**31 - 1
"""Seconds; the largest time to live that Cosmos DB takes."""
_OWNER_MISSING = 1003
"""The sub-status of a 404 for a database or container, where that of an item has none."""

Answer = TypeVar("Answer")


class CosmosBackend:
    """A TraceBackend over a network. Thread-safe; making one touches no network and loads no SDK."""

    name = "cosmos"
    remote = True

    def __init__(self, account: CosmosAccount, *, retention_days: int | None = None) -> None:
        self.account = account
        self._connection = CosmosConnection(account)
        self._retention = None if retention_days is None else timedelta(days=retention_days)
        self._last: str | None = None

    def send(self, failure_id: str, body: bytes) -> Delivered:
        """Store one record; that it is there already, with the same content, is as good. Raises CosmosFault."""
        charge, activity = 0.0, ""
        items = items_of(failure_id, body, ttl_s=self._ttl_s(body))
        for item in items:
            headers = self._create(item)
            charge += float(headers.get("x-ms-request-charge") or 0.0)
            activity = str(headers.get("x-ms-activity-id") or activity)
        return Delivered(charge, activity, len(items) - 1)

    def put(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Store (failure_id, encoded record) pairs. An id that is there already stays as it is. Raises CosmosFault."""
        for failure_id, body in records:
            try:
                self.send(failure_id, body)
            except CosmosFault as fault:
                if fault.status != 409:
                    raise

    def get(self, failure_id: str) -> bytes | None:
        """The encoded record by one point read, and one for each part; None for an unknown id.

        Raises CosmosFault, and UnreadableRecord for an item that is none of ours or is damaged.
        """
        if not _ID.fullmatch(failure_id):
            return None
        head = self._read(failure_id, failure_id)
        if head is None:
            return None
        return body_of(head, (self._read(part_id, failure_id) or {"id": part_id} for part_id in part_ids(head)))

    def raw(self, item_id: str) -> bytes | None:
        """The JSON of any item, without Cosmos DB's own properties; None where it is gone. Raises CosmosFault.

        By a query, for the item of another program may be in any partition, or in none.
        """
        found = self._asked(
            "reading an item",
            lambda container: list(
                container.query_items(
                    _BY_ID, parameters=[{"name": "@id", "value": item_id}], enable_cross_partition_query=True
                )
            ),
        )
        return json.dumps(_own(found[0]), ensure_ascii=False).encode(errors="backslashreplace") if found else None

    def changes(self, since: int, page_size: int = 500) -> Iterator[tuple[Change, ...]]:
        """Pages of items written at or after a `_ts` (seconds), oldest first, parts left out. Raises CosmosFault."""
        pages = self._asked(
            "looking for news",
            lambda container: iter(
                container.query_items(
                    _CHANGES,
                    parameters=[{"name": "@since", "value": since}],
                    enable_cross_partition_query=True,
                    max_item_count=page_size,
                ).by_page()
            ),
        )
        while True:
            page = self._asked("looking for news", lambda _: _next_page(pages))
            if page is None:
                return
            changes = (_change(item) for item in page)
            yield tuple([change for change in changes if not is_part(change.id, change.failure_id)])

    def provision(self, throughput: int | None = None) -> tuple[str, ...]:
        """Make the database and the container where they are missing; a sentence on each. Raises CosmosFault."""
        return provision(self._connection.client(), self.account, throughput)

    def health(self) -> BackendHealth:
        """What the last contact showed; asks nobody."""
        return BackendHealth(
            name=self.name,
            reachable=self._last is None,
            records=None,
            bytes=None,
            detail=self._last or f"Failures go to {self.account.label}.",
        )

    def close(self) -> None:
        """Close the connection, for good. Idempotent."""
        self._connection.close()

    def _ttl_s(self, body: bytes) -> int | None:
        """How long the item is to live: the retention, less the record's age. At least a second."""
        if self._retention is None:
            return None
        try:
            occurred = datetime.fromisoformat(json.loads(body)["failure"]["occurred_at"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableRecord("The record does not say when its failure occurred.") from error
        left = self._retention - (datetime.now(UTC) - occurred)
        return min(max(1, round(left.total_seconds())), _TTL_MOST)

    def _create(self, item: Item) -> Any:
        """The headers of the answer, also where the item was there already. Raises CosmosFault."""
        already_there = sdk().exceptions.CosmosResourceExistsError

        def create(container: ContainerProxy) -> tuple[Any, bool]:
            try:
                return container.create_item(item, no_response=True).get_response_headers(), False
            except already_there as error:
                return error.headers or {}, True

        headers, existed = self._asked(SENDING, create)
        if existed:
            there = self._read(item["id"], item["failure_id"])
            if there is None:
                raise CosmosFault("An item came and went while it was sent.", FaultKind.TRANSIENT, status=409)
            if there.get("sha256") != item["sha256"]:
                raise CosmosFault(
                    f"Cosmos DB holds another content under the id {item['id']!r}, which stays as it is; "
                    "the record is kept in the mirror.",
                    FaultKind.POISON,
                    status=409,
                )
        return headers

    def _read(self, item_id: str, failure_id: str) -> Item | None:
        not_found = sdk().exceptions.CosmosResourceNotFoundError

        def read(container: ContainerProxy) -> Item | None:
            try:
                item = container.read_item(item_id, partition_key=failure_id)
            except not_found as error:
                if error.sub_status == _OWNER_MISSING:
                    raise missing_container(self.account) from error
                if error.sub_status == READ_SESSION_NOT_AVAILABLE:
                    raise
                return None
            return _own(item)

        return self._asked("reading a failure", read)

    def _asked(self, tried: str, question: Callable[[ContainerProxy], Answer]) -> Answer:
        try:
            answer = question(self._connection.container())
        except Exception as error:
            fault = error if isinstance(error, StoreError) else self._fault(error, tried)
            self._last = str(fault)
            if isinstance(fault, CosmosFault) and fault.kind is FaultKind.SETUP:
                # Who mends it may make the container anew: it is looked at again before the next use.
                self._connection.forget_container()
            if fault is error:
                raise
            raise fault from error
        self._last = None
        return answer

    def _fault(self, error: Exception, tried: str) -> CosmosFault:
        """What the SDK makes of a connection that was closed under it says nothing of Cosmos DB."""
        return closed_fault() if self._connection.closed else fault_of(error, self.account, tried)


def _own(item: Item) -> Item:
    """An item without what Cosmos DB adds."""
    return {name: value for name, value in item.items() if not name.startswith("_")}


def _next_page(pages: Iterator[Any]) -> list[Item] | None:
    page = next(pages, None)
    return None if page is None else list(page)


def _change(item: Item) -> Change:
    """Of an item that is none of ours every field may be missing, or anything."""

    def text(name: str) -> str | None:
        value = item.get(name)
        return value if isinstance(value, str) else None

    return Change(text("id") or "", text("failure_id"), int(item.get("_ts") or 0))

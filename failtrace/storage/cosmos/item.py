"""A record as items of Cosmos DB, and back: one item, or parts and a head for a record that is too large for one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from failtrace.codec import decode_record, digest, encode_record
from failtrace.contracts import SCHEMA_VERSION
from failtrace.errors import UnreadableRecord
from failtrace.storage.cosmos.exact import apply, is_integer, patches, read

Item = dict[str, Any]

ITEM_MOST = 1_500_000
"""Bytes of one item as it is sent. Cosmos DB takes 2 MB; this leaves room for what it adds."""
SURELY_FITS = ITEM_MOST // 3
"""Bytes of a record whose item, summary included, need not be measured where it has no patches."""
PART_BYTES = 700_000
"""Bytes of a record's text in one part: as a JSON string it at most doubles."""
SUMMARY_CHARS = 1000
"""Of a text among the summary fields; the record has it whole."""
NESTING_MOST = 100
"""Levels of a record that is kept as an object; Cosmos DB takes 128."""

SUMMARY = ("kind", "failure_type", "subject", "run_id", "fingerprint", "occurred_at")
"""The fields that are indexed."""


def items_of(failure_id: str, body: bytes, *, ttl_s: int | None = None) -> list[Item]:
    """The items of an encoded failure, in the order in which they are to be written: parts first, the head last.

    Raises UnreadableRecord for bytes that are no record of a failure.
    """
    try:
        record, suspect = read(body)
        head = _head(failure_id, record, body, ttl_s)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableRecord(
            f"The record {failure_id!r} cannot be made an item of Cosmos DB ({type(error).__name__}: {error!s:.100}); "
            "it is kept in the mirror."
        ) from error
    whole = _whole(head, record, body, suspect=suspect)
    if whole is not None and _fits(whole, body):
        return [whole]
    parts = list(_parts(failure_id, body, ttl_s))
    return [*parts, {**head, "parts": len(parts)}]


def body_of(head: Item, parts: Iterable[Item] = ()) -> bytes:
    """The encoded record, byte for byte. Raises UnreadableRecord for an item that is none of ours, or is damaged.

    Takes the parts one by one, and none behind one that is damaged.
    """
    _check_head(head)
    body = b"".join(_text_of(part) for part in parts) if head["parts"] else _body_of_object(head)
    if digest(body) != head["sha256"]:
        raise _unreadable(head, "its bytes do not match their sha256")
    named = decode_record(body).failure_id if head["parts"] else head["record"].get("failure_id")
    if named != head["id"]:
        raise _unreadable(head, "its record is of another failure")
    return body


def part_ids(head: Item) -> list[str]:
    """The ids of the parts of a head, in order. Raises UnreadableRecord for an item that is none of ours."""
    _check_head(head)
    return [f"{head['id']}.part-{number}" for number in range(1, head["parts"] + 1)]


def is_part(item_id: str, failure_id: object) -> bool:
    """Whether an id is that of a part of this failure."""
    return isinstance(failure_id, str) and item_id.startswith(f"{failure_id}.part-")


def encoded_size(item: Item) -> int:
    """Bytes of an item as the SDK sends it (`enable_compact_utf8_item_writes`)."""
    return len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode())


def _fits(whole: Item, body: bytes) -> bool:
    """Whether an item is small enough. A patch may be many times longer than its number."""
    return (len(body) < SURELY_FITS and "exact" not in whole) or encoded_size(whole) <= ITEM_MOST


def _head(failure_id: str, record: Any, body: bytes, ttl_s: int | None) -> Item:
    failure = record["failure"]
    head = {
        "id": failure_id,
        "failure_id": failure_id,
        "kind": "failure",
        "schema_version": record["schema_version"],
        "trace_id": record["trace_id"],
        "run_id": _short(record["run_id"]),
        "subject": _short(record["subject"]["name"]),
        "outcome": record["outcome"]["kind"],
        "failure_type": failure["failure_type"],
        "message": _short(failure["message"]),
        "fingerprint": _short(failure["fingerprint"]),
        "occurred_at": failure["occurred_at"],
        "duration_ms": record["duration_ms"],
        "sha256": digest(body),
        "bytes": len(body),
    }
    return head if ttl_s is None else {**head, "ttl": ttl_s}


def _short(text: str | None) -> str | None:
    return text if text is None else text[:SUMMARY_CHARS]


def _whole(head: Item, record: Any, body: bytes, *, suspect: bool) -> Item | None:
    """The item that holds all; None where the record is too large, too deep, or has a number that is no double."""
    if len(body) > ITEM_MOST or not _depth_within(record, NESTING_MOST):
        return None
    try:
        repairs = _repairs(record, body) if suspect else []
    except OverflowError:
        return None
    whole = {**head, "parts": 0, "record": record}
    return {**whole, "exact": repairs} if repairs else whole


def _parts(failure_id: str, body: bytes, ttl_s: int | None) -> Iterator[Item]:
    texts = list(_chunks(body))
    for number, text in enumerate(texts, 1):
        part = {
            "id": f"{failure_id}.part-{number}",
            "failure_id": failure_id,
            "kind": "part",
            "part": number,
            "parts": len(texts),
            "sha256": hashlib.sha256(text).hexdigest(),
            "text": text.decode(),
        }
        yield part if ttl_s is None else {**part, "ttl": ttl_s}


def _chunks(body: bytes) -> Iterator[bytes]:
    """Stretches of whole UTF-8 characters."""
    start = 0
    while start < len(body):
        end = min(start + PART_BYTES, len(body))
        while end < len(body) and body[end] & 0xC0 == 0x80:
            end -= 1
        yield body[start:end]
        start = end


def _repairs(record: Any, body: bytes) -> list[Any]:
    """The patches that the record needs; none where reading it as doubles gives the same bytes."""
    found = patches(record)
    if not found:
        return []
    # Fields that the contract holds to be floats come back as floats by themselves: most records need no patch.
    lossy = json.loads(body, parse_float=_as_double)
    only_floats = all(isinstance(repair, str) and not is_integer(repair) for _, repair in found)
    if only_floats and encode_record(decode_record(json.dumps(lossy))) == body:
        return []
    return found


def _as_double(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


def _body_of_object(head: Item) -> bytes:
    repairs = head.get("exact", [])
    try:
        record = apply(head["record"], repairs) if repairs else head["record"]
        return encode_record(decode_record(json.dumps(record, ensure_ascii=False).encode()))
    # Numbers of another program may be beyond all doubles.
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise _unreadable(head, str(error)) from error


def _text_of(part: Item) -> bytes:
    text = part.get("text")
    try:
        body = text.encode() if isinstance(text, str) else b""
    except UnicodeEncodeError:
        body = b""
    if not body or hashlib.sha256(body).hexdigest() != part.get("sha256"):
        raise _unreadable(part, "its text does not match its sha256")
    return body


def _check_head(head: Item) -> None:
    version = head.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UnreadableRecord(
            f"The record has schema_version {version} and this failtrace reads up to {SCHEMA_VERSION}; "
            "upgrade failtrace to open it."
        )
    parts = head.get("parts")
    ours = (
        head.get("kind") == "failure"
        and isinstance(head.get("id"), str)
        and isinstance(head.get("sha256"), str)
        and isinstance(parts, int)
        and 0 <= parts <= 10_000
        and (parts > 0 or isinstance(head.get("record"), dict))
    )
    if not ours:
        raise _unreadable(head, "it was not written by failtrace")


def _unreadable(item: Item, why: str) -> UnreadableRecord:
    return UnreadableRecord(
        f"The item {str(item.get('id'))!r:.100} of the container cannot be read as a record ({why:.200}); "
        "open it as raw JSON instead."
    )


def _depth_within(value: Any, most: int) -> bool:
    """Whether a JSON value is at most so many levels deep, without recursion."""
    level = [value]
    for _ in range(most):
        level = [
            item
            for held in level
            for item in (held.values() if isinstance(held, dict) else held)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return True
    return False

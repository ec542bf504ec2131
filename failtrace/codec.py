"""TraceRecord to bytes and back: the one encoding that SQLite, Cosmos, exports and hashes share."""

import hashlib
import json

from pydantic import ValidationError

from failtrace.contracts import SCHEMA_VERSION, TraceRecord
from failtrace.errors import UnreadableRecord


def encode_record(record: TraceRecord) -> bytes:
    """UTF-8 JSON of the record, the same bytes for equal records."""
    return record.__pydantic_serializer__.to_json(record)


def decode_record(body: bytes | str) -> TraceRecord:
    """The record behind `body`. Raises UnreadableRecord for damaged bytes and for a newer schema_version."""
    try:
        return TraceRecord.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecord(_why_unreadable(body, error)) from error


def digest(body: bytes) -> str:
    """sha256 of an encoded record, hex."""
    return hashlib.sha256(body).hexdigest()


def _why_unreadable(body: bytes | str, error: ValidationError) -> str:
    try:
        version = json.loads(body).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return "The stored record is damaged: it is not a JSON object; restore it from an export or from the store."
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return (
            f"The record has schema_version {version} and this failtrace reads up to {SCHEMA_VERSION}; "
            "upgrade failtrace to open it."
        )
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the record"
    return f"The stored record does not fit its contract at {where} ({first['msg']}); open it as raw JSON instead."

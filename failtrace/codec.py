"""TraceRecord to bytes and back: the one encoding that SQLite, Cosmos, exports and hashes share."""

import hashlib
import json

from pydantic import ValidationError
from pydantic_core import from_json

from failtrace.contracts import SCHEMA_VERSION, TraceRecord
from failtrace.errors import UnreadableRecord

_NO_OBJECT = "The stored record is damaged: it is not a JSON object; restore it from an export or from the store."
_MOST_ERRORS = 1000
"""Beyond which they are counted and not told: all of them can take more memory than the record."""


def encode_record(record: TraceRecord) -> bytes:
    """UTF-8 JSON of the record, the same bytes for equal records."""
    return record.__pydantic_serializer__.to_json(record)


def decode_record(body: bytes | str) -> TraceRecord:
    """The record behind `body`. Raises UnreadableRecord for damaged bytes and for a newer schema_version."""
    try:
        return TraceRecord.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecord(_why_unreadable(body, error)) from error


def check_shape(body: bytes) -> None:
    """Raise UnreadableRecord for what is plainly no record, in memory in proportion to it.

    `decode_record` copies what it refuses, once for each reason: 30 MB without the fields of a record take 8 GB. Here
    Python's values are referred to. What strictness adds is left to it: that a number is no text, say.
    """
    try:
        found = from_json(body)
    except ValueError as error:
        raise UnreadableRecord(_NO_OBJECT) from error
    try:
        TraceRecord.model_validate(found, strict=False)
    except ValidationError as error:
        # Without its cause, which holds all of it.
        raise UnreadableRecord(_why_unfit(found, error)) from None


def digest(body: bytes) -> str:
    """sha256 of an encoded record, hex."""
    return hashlib.sha256(body).hexdigest()


def _why_unreadable(body: bytes | str, error: ValidationError) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _NO_OBJECT
    return _why_unfit(found, error)


def _why_unfit(found: object, error: ValidationError) -> str:
    if not isinstance(found, dict):
        return _NO_OBJECT
    version = found.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return (
            f"The record has schema_version {version} and this failtrace reads up to {SCHEMA_VERSION}; "
            "upgrade failtrace to open it."
        )
    if error.error_count() > _MOST_ERRORS:
        places = f"{error.error_count():,} places"
        return f"The stored record does not fit its contract in {places}; open it as raw JSON instead."
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the record"
    return f"The stored record does not fit its contract at {where} ({first['msg']}); open it as raw JSON instead."

"""record → JSON → record, and the frozen example of schema_version 1."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from support.records import make_record, records

from failtrace.codec import decode_record, encode_record
from failtrace.contracts import SCHEMA_VERSION, TraceRecord
from failtrace.errors import UnreadableRecord

FROZEN = Path(__file__).parent / "fixtures" / "trace_record.v1.json"


@given(record=records())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_a_record_survives_json(record: TraceRecord) -> None:
    """Whatever the contract allows comes back equal, and the second encoding has the same bytes."""
    body = encode_record(record)

    again = decode_record(body)

    assert record == again
    assert body == encode_record(again)


def test_the_frozen_record_of_version_1_loads() -> None:
    """A record written by the first release loads in every later one, and means the same JSON."""
    body = FROZEN.read_bytes()

    record = decode_record(body)

    assert record.schema_version == 1
    assert json.loads(body) == json.loads(encode_record(record))


def test_the_frozen_record_is_rich() -> None:
    """The example holds every top-level field with something in it, so that loading it proves something."""
    frozen = json.loads(FROZEN.read_bytes())

    empty = [name for name, value in frozen.items() if value in (None, [], {}, "")]

    assert empty == ["output"]  # it failed by an exception
    assert {part["kind"] for part in frozen["failure"]["evidence"]} == {
        "contract_violation",
        "deadline_exceeded",
        "unsupported_claim",
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param(b"", "is damaged: it is not a JSON object", id="empty"),
        pytest.param(b"[1]", "is damaged: it is not a JSON object", id="array"),
        pytest.param(b'{"schema_version": 1}', "does not fit its contract at failure_id", id="fields missing"),
        pytest.param(
            json.dumps({"schema_version": SCHEMA_VERSION + 1}).encode(),
            "upgrade failtrace",
            id="newer version",
        ),
    ],
)
def test_bytes_that_are_no_record_are_said_to_be(body: bytes, sentence: str) -> None:
    """Damaged bytes and a newer schema_version are one sentence, never a traceback of the decoder."""
    with pytest.raises(UnreadableRecord, match=sentence):
        decode_record(body)


def test_ids_of_a_record_must_agree() -> None:
    """A record cannot name one failure and hold another, nor hold the failure of another trace."""
    failed, other = make_record(), make_record()

    with pytest.raises(ValueError, match="same failure"):
        TraceRecord(**dict(failed) | {"failure_id": None})
    with pytest.raises(ValueError, match="another trace_id"):
        TraceRecord(**dict(failed) | {"trace_id": other.trace_id})

"""A record as items and back, through whatever a store of doubles does to JSON."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import failure_id_of, make_record, records

from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import UnreadableRecord
from failtrace.storage.cosmos import item as items
from failtrace.storage.cosmos.item import Item, body_of, encoded_size, items_of, part_ids

NASTY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1.0, -0.0, 0.0, 1e20, 1e22, 1e308, 5e-324, 123456789.0])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(["0", "1", "10", "2", "01", "4294967295", "a", "é"]), children, max_size=6)
    ),
    max_leaves=20,
)


def as_javascript(value: Any) -> Any:
    """What a store in JavaScript gives back: doubles, and array-like keys first in ascending order."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 1e21 else number
    if isinstance(value, list):
        return [as_javascript(item) for item in value]
    indices = sorted((key for key in value if is_index(key)), key=int)
    return {key: as_javascript(value[key]) for key in [*indices, *(key for key in value if key not in indices)]}


def is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < 2**32 - 1


def stored(written: list[Item]) -> list[Item]:
    """The items as they come back, with the properties that Cosmos DB adds."""
    return [{**as_javascript(json.loads(json.dumps(item))), "_ts": 1, "_etag": "x"} for item in written]


def round_trip(record: TraceRecord) -> bytes:
    assert record.failure_id
    written = items_of(record.failure_id, encode_record(record))
    *parts, head = stored(written)
    assert [part["id"] for part in parts] == part_ids(head)
    return body_of(head, parts)


@given(records().filter(lambda record: record.failure is not None))
@settings(max_examples=100)
def test_every_record_survives_as_doubles(record: TraceRecord) -> None:
    """Whatever the contract allows comes back byte for byte."""
    assert round_trip(record) == encode_record(record)


@given(NASTY, NASTY)
@settings(max_examples=300)
def test_every_value_survives_as_doubles(given_: Any, gave: Any) -> None:
    """Integral floats, negative zero, exponents and the order of keys are as they were."""
    record = make_record(number=3, input=given_, output=gave)

    assert round_trip(record) == encode_record(record)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(4, 60))
@settings(max_examples=60)
def test_any_text_is_split_and_joined(text: str, size: int) -> None:
    """Parts end between characters, whatever their size; each is whole UTF-8 and together they are the record."""
    record = make_record(number=4, input=text)
    body = encode_record(record)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(items, "ITEM_MOST", 100)
        patch.setattr(items, "PART_BYTES", size)
        written = items_of(record.failure_id or "", body)
        *parts, head = stored(written)

    assert len(parts) > 1
    assert body_of(head, parts) == body


@pytest.mark.parametrize("text", ['"', "\\", "é", "中", "🙂", "x", "\n"])
def test_no_item_reaches_two_megabytes(text: str) -> None:
    """Whatever a record is made of, as the SDK sends it; the head of a large one is small."""
    record = make_record(input=text * 3_000_000)

    sizes = [encoded_size(item) for item in items_of(record.failure_id or "", encode_record(record))]

    assert max(sizes) < 2_000_000
    assert sizes[-1] < 10_000


def test_a_deep_record_is_kept_as_text() -> None:
    """Cosmos DB takes 128 levels; what is deeper than we dare goes as parts."""
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    record = make_record(input=deep)

    *parts, head = items_of(record.failure_id or "", encode_record(record))

    assert len(parts) == head["parts"] == 1
    assert body_of(head, parts) == encode_record(record)


def test_a_time_to_live_is_on_every_item() -> None:
    """Parts expire with their head."""
    record = make_record(input="x" * 2_000_000)

    assert {item["ttl"] for item in items_of(record.failure_id or "", encode_record(record), ttl_s=60)} == {60}


GOOD = stored(items_of(failure_id_of(5), encode_record(make_record(number=5, input=1.0))))[0]


def test_the_item_that_is_damaged_below_is_good() -> None:
    """Else its damages would be told from nothing."""
    assert body_of(GOOD) == encode_record(make_record(number=5, input=1.0))


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "order"},
        {"sha256": None},
        {"sha256": "0" * 64},
        {"parts": "0"},
        {"parts": -1},
        {"parts": 10**9},
        {"parts": True, "record": None},
        {"record": None},
        {"record": {"hello": 1}},
        {"record": {**GOOD["record"], "extra": 1}},
        {"exact": [[["input"], ["a"]]]},
        {"exact": [[["nowhere", 3], "1.0"]]},
        {"exact": 7},
        {"exact": [7]},
        {"exact": [[["input"], "9" * 390]]},
        {"id": failure_id_of(6), "failure_id": failure_id_of(6)},
        {"schema_version": 99},
    ],
)
def test_damage_is_one_sentence(damage: dict[str, Any]) -> None:
    """Whatever stands in an item, it is a record or it is unreadable: nothing else is ever raised."""
    with pytest.raises(UnreadableRecord):
        body_of({**GOOD, **damage}, [])


def test_parts_of_another_failure_are_unreadable() -> None:
    """A head and its parts that were copied under another id are not taken for that failure."""
    record = make_record(number=5, input="x" * 2_000_000)
    *parts, head = stored(items_of(failure_id_of(5), encode_record(record)))
    assert body_of(head, parts)

    with pytest.raises(UnreadableRecord, match="of another failure"):
        body_of({**head, "id": failure_id_of(6), "failure_id": failure_id_of(6)}, parts)


@given(st.dictionaries(st.sampled_from([*GOOD, "_ts"]), NASTY))
@settings(max_examples=200)
def test_a_foreign_item_never_crashes(fields: dict[str, Any]) -> None:
    """An item of another program with any values under our names."""
    with pytest.raises(UnreadableRecord):
        body_of({**GOOD, "sha256": "0" * 64, **fields, "kind": "theirs"}, [])

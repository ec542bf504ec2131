"""Markers of the sanitiser in words, and everything else as it was."""

from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failtrace.capture.markers import KEY, Marks
from failtrace.capture.sanitiser import sanitise
from failtrace.ui.spoken import spoken


class Colour(Enum):
    RED = 1


LOOP: list[Any] = [1]
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"password": "hunter2"}, {"password": "‹redacted: key:password›"}),
        ([1, 2.5, None, "é", True], [1, 2.5, None, "é", True]),
        (float("nan"), "‹float nan›"),
        (2**70, f"‹int {2**70}›"),
        ("\udcff", "‹text \\udcff›"),
        (datetime(2026, 1, 2, tzinfo=UTC), "‹datetime 2026-01-02T00:00:00+00:00›"),
        (PurePosixPath("/a"), "‹path /a›"),
        (ValueError("boo"), "‹ValueError: boo›"),
        (LOOP, [1, "‹the same list, 1 levels up›"]),
        ({3, 4}, {"‹set›": [3, 4]}),
        ({1: {2: 3}}, {"‹dict›": [[1, {"‹dict›": [[2, 3]]}]]}),
        (b"abc", "‹3 bytes b'abc'›"),
        ({KEY: "mine"}, {"‹dict›": [[KEY, "mine"]]}),
    ],
    ids=str,
)
def test_what_a_value_was_is_said(value: Any, words: Any) -> None:
    """Through the sanitiser and back into words."""
    assert spoken(sanitise(value, Marks())) == words


def test_what_was_cut_is_said_with_its_counts() -> None:
    """A text keeps its beginning, a list and a dict what they kept of their items."""
    text, items, fields = (
        spoken(sanitise(value, Marks()))
        for value in ("x" * 3_000_000, list(range(200_000)), {str(key): 0 for key in range(200_000)})
    )

    assert isinstance(text, str)
    assert text.endswith(" of 3,000,000 characters kept›")
    assert isinstance(items, list)
    assert items[-1] == f"‹cut: {len(items) - 1:,} of 200,000 kept›"
    assert isinstance(fields, dict)
    assert fields["‹cut›"] == f"‹cut: {len(fields) - 1:,} of 200,000 kept›"
    assert "bytes, beginning with" in str(spoken(sanitise(b"x" * 300_000, Marks())))


def test_an_enum_and_an_object_say_their_type() -> None:
    """With the name and the value of the one, and the repr of the other."""
    assert str(spoken(sanitise(Colour.RED, Marks()))).endswith("Colour.RED = 1›")
    assert str(spoken(sanitise(object(), Marks()))).startswith("‹object <object object at")


KINDS = st.sampled_from(["cut", "bytes", "redacted", "cycle", "enum", "object", "set", "int", "unheard of"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
FIELDS = st.sampled_from(["size", "kept", "type", "value", "items", "base64", "text", "repr", "hex", "rule"])


@given(JSON)
def test_a_value_without_markers_is_as_it_was(value: Any) -> None:
    """Nothing of the user's is put into other words."""
    assert KEY in str(value) or spoken(value) == value


@given(st.dictionaries(FIELDS, JSON), KINDS, JSON)
def test_a_marker_of_any_make_is_said(fields: dict[str, Any], kind: str, beside: Any) -> None:
    """Records come from imports too, and a page must stand whatever a marker lacks."""
    said = spoken([{**fields, KEY: kind}, {"a": beside, KEY: {**fields, KEY: kind}}])

    assert isinstance(said, list)
    assert all("‹" in str(item) for item in said)

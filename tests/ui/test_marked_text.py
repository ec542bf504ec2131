"""Texts with marked stretches, and outputs abridged around what is wrong in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failtrace.contracts import DetectorInfo, Json, UnsupportedClaim
from failtrace.ui.cause.claims import note_of
from failtrace.ui.cause.outline import one_line, outline
from failtrace.ui.marked_text import Note, segments

GROUNDING = DetectorInfo(name="grounding", version="1")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)


def claim(text: str, start: int, end: int) -> UnsupportedClaim:
    return UnsupportedClaim(text=text, start=start, end=end, score=0.9, nearest_evidence="", evidence_source="")


def places(value: Json, path: str = "") -> dict[str, Json]:
    """Every path into a value, as a contract violation writes it."""
    found = {path or "$": value}
    if isinstance(value, list):
        for at, item in enumerate(value):
            found |= places(item, f"{path}[{at}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            found |= places(item, f"{path}.{key}" if path else key)
    return found


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=6))
def test_segments_are_the_text_and_mark_just_their_stretches(text: str, spans: list[tuple[int, int]]) -> None:
    """Joined they must be the text; each character must carry the notes whose stretch it lies in, and no other."""
    found = list(segments(text, [Note(start, end, "") for start, end in spans]))

    assert "".join(words for words, _ in found) == text
    marks = [marked for words, marked in found for _ in words]
    assert marks == [
        tuple(at for at, (start, end) in enumerate(spans) if max(0, start) <= place < min(len(text), end))
        for place in range(len(text))
    ]


def test_a_note_without_a_place_marks_nothing() -> None:
    """What stands nowhere in the text is told beside it alone."""
    assert list(segments("text", [Note(None, None, "gone")])) == [("text", ())]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (claim("14 days", 13, 20), (13, 20)),
        (claim("14 days", 12, 19), (13, 20)),
        (claim("90 days", 13, 20), (None, None)),
        (claim("", 900, 901), (None, None)),
    ],
    ids=["as-said", "counted-otherwise", "not-in-the-text", "beyond-the-text"],
)
def test_a_claim_is_marked_where_its_words_stand(said: UnsupportedClaim, place: tuple[int | None, int | None]) -> None:
    """Offsets of a foreign detector may be others: a mark on the wrong words would accuse the innocent."""
    note = note_of(said, "😀 Refunds in 14 days.", GROUNDING)

    assert (note.start, note.end) == place


@given(VALUES, st.data())
def test_a_path_is_found_where_its_value_stands(value: Json, data: st.DataObject) -> None:
    """Under each path the outline must show just that value, whatever is abridged around it."""
    known = places(value)
    paths = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3))

    text, spans = outline(value, paths)

    assert set(spans) == set(paths)
    for path in paths:
        start, end = spans[path]
        shown = text[start:end]
        assert json.loads(shown) == known[path]


def test_what_is_missing_is_marked_at_its_container() -> None:
    """A field that is not there has no place of its own: its object's beginning stands for it."""
    text, spans = outline({"items": [{"name": "tea"}]}, ["items[0].price", "nowhere.at.all", "$"])

    assert text[spans["items[0].price"][0] :].startswith('{\n      "name": "tea"')
    assert spans["items[0].price"][1] - spans["items[0].price"][0] == 1
    assert spans["nowhere.at.all"] == (0, 1)
    assert spans["$"] == (0, len(text))


def test_an_outline_stays_short_around_what_is_wrong() -> None:
    """Of a huge output the offending value and a little beside it must be shown, and how much is not."""
    wide: Json = {"rows": [{"n": at, "text": "x" * 9000} for at in range(10_000)], "other": list(range(50_000))}

    text, spans = outline(wide, ["rows[7000].n"])

    assert len(text) < 3000
    assert text[slice(*spans["rows[7000].n"])] == "7000"
    assert "… 6,997 more" in text
    assert "… (9,000 characters)" in text
    assert "[… 50,000 items]" in text


def test_many_wrong_places_stay_bounded() -> None:
    """A contract broken everywhere must not fill the page."""
    wide: Json = [{"n": "x"} for _ in range(20_000)]

    text, _ = outline(wide, [f"[{at}].n" for at in range(20_000)])

    assert text.count("\n") < 2000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abc", '"abc"'),
        ("x" * 30, f'"{"x" * 10}… (30 characters)'),
        ({"a": 1}, '{"a": 1}'),
        ({"a": "x" * 30}, "{… 1 key}"),
        (list(range(30)), "[… 30 items]"),
        (None, "null"),
    ],
)
def test_a_value_in_one_line(value: Json, shown: str) -> None:
    """Short values must stand whole, long ones say how long they are."""
    assert one_line(value, 10) == shown

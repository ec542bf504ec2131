"""What is different between two values, path by path."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from failtrace.analysis.differences import Change, changes, text_changes
from failtrace.contracts import Json

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab c", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_equal_values_have_no_differences(value: Json) -> None:
    """A value and its copy are the same."""
    assert changes(value, copy.deepcopy(value)) == ()


@given(VALUES, VALUES)
def test_different_values_have_one_at_least_and_the_same_number_swapped(left: Json, right: Json) -> None:
    """A difference is found where there is one, and swapping sides swaps added and removed."""
    there, back = changes(left, right), changes(right, left)
    swapped = {"added": "removed", "removed": "added", "changed": "changed"}

    assert bool(there) == (repr(_sorted(left)) != repr(_sorted(right)))
    assert sorted((change.path, swapped[change.kind]) for change in there) == sorted(
        (change.path, change.kind) for change in back
    )


def test_paths_lead_to_what_changed() -> None:
    """A path names keys and places; a type that changed is a change even where Python calls the values equal."""
    left: Json = {"documents": [{"title": "a"}, {"title": "b"}], "n": 1, "odd key": 0, "gone": None}
    right: Json = {"documents": [{"title": "a"}, {"title": "c"}, 7], "n": True, "odd key": 1}

    assert changes(left, right) == (
        Change("$.documents[1].title", "changed", "b", "c"),
        Change("$.documents[2]", "added", None, 7),
        Change("$.n", "changed", 1, True),
        Change("$['odd key']", "changed", 0, 1),
        Change("$.gone", "removed", None, None),
    )


def test_no_more_are_looked_for_than_asked() -> None:
    """A million differences cost no more than those that are shown."""
    assert len(changes(list(range(1_000_000)), [], most=7)) == 7


def test_texts_differ_by_lines() -> None:
    """Equal texts have no difference; of others the lines that changed are marked."""
    assert text_changes("a\nb", "a\nb") == ""
    shown = text_changes("a\nb\nc", "a\nB\nc").splitlines()
    assert [line for line in shown if line[0] in "-+" and line[:3] not in ("---", "+++")] == ["-b", "+B"]


def _sorted(value: Json) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value

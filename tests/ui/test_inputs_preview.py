"""What a run would be given, read from what somebody pasted or uploaded."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from failtrace.ui.inputs_preview import FIRST, MOST_PROBLEMS, preview

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=8))
def test_json_lines_come_back_as_they_are(values: list[Any]) -> None:
    """Line by line or as one array over several lines, the inputs are the same values in the same order."""
    by_line = preview("".join([json.dumps(value) + "\n" for value in values]))
    as_array = preview(json.dumps(values, indent=1) + "\n")

    assert [json.loads(line) for line in by_line.lines.split("\n")[:-1]] == values
    assert (by_line.count, by_line.bad) == (len(values), 0)
    assert len(by_line.first) == min(FIRST, len(values))
    if len(values) > 1:
        assert as_array.lines == by_line.lines


def test_every_bad_line_is_told_by_its_number() -> None:
    """Good lines are kept; bad ones are counted, and told as far as a reader would read."""
    found = preview('{"a": 1}\n\nnot json\n[1, 2]\nNaN\n' + "{\n" * 50)

    assert (found.lines, found.count, found.bad) == ('{"a": 1}\n[1, 2]\n', 2, 52)
    assert found.problems[0].startswith("Line 3 is not JSON: ")
    assert found.problems[1] == "Line 5 is not JSON: NaN is no JSON value."
    assert len(found.problems) == MOST_PROBLEMS


def test_one_value_over_several_lines_is_one_input() -> None:
    """A pretty object is one input; an array on one line is one input too, as in JSON Lines."""
    assert preview('{\n "a": [\n 1]\n}').lines == '{"a": [1]}\n'
    assert preview("[1, 2]").lines == "[1, 2]\n"
    assert preview("[\n1,\n2]").lines == "1\n2\n"


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    """Whatever is pasted has a preview."""
    found = preview(text)

    assert found.count == found.lines.count("\n")

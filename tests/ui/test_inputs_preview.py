"""What a run would be given, read from what somebody pasted or uploaded."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failtrace.inputs import MAX_KEPT_PROBLEMS, JsonLines
from failtrace.ui.run.preview import FIRST, preview_lines, preview_pasted

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
LINES = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        [b"", b"1e400", b"NaN", b'"\xff"', '"\u2028\x0b"'.encode(), b'{"a":1,"a":2}', b"{}\r", b"[" * 5000]
    )
    | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    max_size=8,
)


def as_the_command_line_reads(file: Path, data: bytes) -> tuple[list[Any], int, list[str]]:
    file.write_bytes(data)
    lines = JsonLines(file)
    return list(lines), lines.bad_lines, lines.problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LINES.map(b"\n".join))
def test_page_and_command_line_agree(tmp_path: Path, data: bytes) -> None:
    """The same bytes must be the same inputs, with the same lines refused, whichever way they come."""
    values, bad, problems = as_the_command_line_reads(tmp_path / "inputs", data)

    found = preview_lines(data)

    assert (found.lines, found.count, found.bad) == (data, len(values), bad)
    assert [said.split()[1] for said in found.problems] == [said.split()[1] for said in problems]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(VALUES, max_size=8), st.sampled_from([None, 0, 2]))
def test_an_array_is_an_input_for_each_item(tmp_path: Path, values: list[Any], indent: int | None) -> None:
    """However it is laid out, its items must arrive in their order, as they are."""
    found = preview_pasted(f"\n{json.dumps(values, indent=indent)} ")

    assert as_the_command_line_reads(tmp_path / "inputs", found.lines) == (values, 0, [])
    assert (found.count, found.bad, len(found.first)) == (len(values), 0, min(FIRST, len(values)))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("7", b"7\n"),
        ('{\n "a": [\n 1]\n}', b'{  "a": [  1] }\n'),
        ("[[1, 2], 3]", b"[1, 2]\n3\n"),
        ('[1e400 , -0.0,\r\n{"a": 1, "a": 2}]', b'1e400\n-0.0\n{"a": 1, "a": 2}\n'),
        ('{"a": 1}\n{"a": 2}', b'{"a": 1}\n{"a": 2}'),
        ("[]", b""),
    ],
    ids=["one value", "one over several lines", "an array", "words kept as they are", "JSON Lines", "nothing"],
)
def test_what_is_pasted_may_be_one_value_an_array_or_lines(text: str, lines: bytes) -> None:
    """Each of the three must be told from the others, and no value be rewritten."""
    assert preview_pasted(text).lines == lines


def test_every_bad_line_is_told_by_its_number() -> None:
    """Empty lines count as lines, as in an editor; beyond a hundred sentences the rest is counted."""
    found = preview_lines(b'{"a": 1}\n\nnot json\n[1, 2]\nNaN\n"\xff"\n' + b"{\n" * 150)

    assert (found.count, found.bad, found.first) == (2, 153, ('{"a": 1}', "[1, 2]"))
    assert found.problems[:3] == (
        "Line 3 is not JSON: Expecting value at column 1.",
        "Line 5 is not JSON: NaN is no JSON value.",
        "Line 6 is not JSON: it is not UTF-8.",
    ) or found.problems[2].startswith("Line 6 is not JSON")
    assert len(found.problems) == MAX_KEPT_PROBLEMS


def test_a_broken_object_is_one_mistake() -> None:
    """Over several lines none of which is JSON, the reader must be told where the whole breaks, and no more."""
    found = preview_pasted('{\n  "a": 1,\n  "b": \n}')

    assert (found.count, found.bad) == (0, 1)
    assert found.problems == ("This is neither JSON nor JSON Lines: Expecting value: line 4 column 1 (char 20).",)


@given(st.text(st.characters(), max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    """Whatever is pasted has a preview, lone surrogates too, and a long input is cut in it."""
    found = preview_pasted(text)

    assert found.count + found.bad >= (1 if text.strip() and text.strip() != "[]" else 0) or found.lines == b""
    assert len(preview_pasted(json.dumps("x" * 999)).first[0]) == 301

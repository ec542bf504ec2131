"""Base64 that is wrapped in lines, as MIME, PEM, openssl and Python's `encodebytes` write it.

A secret in it may go over the end of a line, wherever it begins. So it is looked for in the lines without their ends.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from pydantic_core import SchemaValidator, core_schema

from failtrace.secrets.literals import Literals

_MIN_LINE = 40
"""Characters that one line at least must have; 64 and 76 are usual, but the first may be cut."""

_CHARACTER = "[A-Za-z0-9+/_-]"
# As it is, and as reprs and JSON write it, also JSON in JSON; YAML indents, mail quotes, comments begin with a sign.
_LINE_END = r"(?:\r?\n|(?:\\{1,4}r)?\\{1,4}n)[ \t>|#*]*+"
_MAY_HOLD = SchemaValidator(core_schema.str_schema(pattern=rf"{_CHARACTER}{{{_MIN_LINE}}}[\r\n\\]"))
"""By Rust's regex engine, which looks for one of the three first: 0.4 us a kilobyte of prose."""
# Begins where no character stands before, and gives none back: each is looked at once.
_BLOCK = re.compile(f"(?<!{_CHARACTER}){_CHARACTER}++(?:{_LINE_END}{_CHARACTER}++)+")
_LINE = re.compile(f"(?:{_LINE_END})?({_CHARACTER}++)")


def spans_in_wrapped(text: str, secrets: Literals) -> list[tuple[int, int]]:
    """Where secrets stand that go over the ends of lines in such blocks, with these ends."""
    if not _MAY_HOLD.isinstance_python(text):
        return []
    return [span for lines in _blocks(text) for span in _spans(text, lines, secrets)]


def _blocks(text: str) -> Iterator[list[tuple[int, int]]]:
    """Where the lines of each block are."""
    for block in _BLOCK.finditer(text):
        lines = [line.span(1) for line in _LINE.finditer(text, *block.span())]
        if any(end - start >= _MIN_LINE for start, end in lines[:-1]):
            yield lines


def _spans(text: str, lines: list[tuple[int, int]], secrets: Literals) -> Iterator[tuple[int, int]]:
    # Where each line begins once there are no ends of lines, and last where all of it ends.
    begins = list(accumulate((end - start for start, end in lines), initial=0))
    for start, end in secrets.spans("".join(text[start:end] for start, end in lines)):
        first, last = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
        if first != last:
            yield lines[first][0] + start - begins[first], lines[last][0] + end - begins[last]

"""Secrets that pydantic quotes of a value that does not fit: `input_value='x', input_type=str`, its field a line above.

pydantic shortens a value to its first 25 and last 24 characters, so what stands at the end may have lost its name.
"""

import re
from collections.abc import Callable, Iterator

from failtrace.secrets.judgement import has_digit, is_opaque
from failtrace.secrets.names import secret_key
from failtrace.secrets.replacing import replaced

_VALUE, _TYPE = "input_value=", ", input_type="
_LONGEST_VALUE = 500
_LONGEST_MESSAGE = 600
_FIELD = re.compile(r"([A-Za-z_][\w.]{0,120})\\{0,6}\Z")
_CUT = "..."
_AT_THE_END = re.compile(r"\A([^'\"\s:=]{3,60})(?=['\"](?!:))|['\"]([^'\"]{3,60})['\"](?!:)")


def redact_inputs(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each secret that pydantic quotes replaced, and how many there were."""
    return replaced(text, _secrets(text), kept)


def _secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each stands, and by which rule."""
    at = text.find(_VALUE)
    while at >= 0:
        start = at + len(_VALUE)
        end = text.find(_TYPE, start, start + _LONGEST_VALUE)
        if end >= 0:
            key = secret_key(_field_above(text, at))
            if key is not None and not text.startswith("[redacted:", start):
                yield start, end, key.rule
            else:
                yield from _at_the_end(text, start, end)
        at = text.find(_VALUE, start)


def _field_above(text: str, at: int) -> str:
    """The name in the line above the message; a newline may be written as an escape."""
    begin = max(0, at - _LONGEST_MESSAGE)
    line = max(text.rfind("\n", begin, at), text.rfind("\\n", begin, at))
    found = _FIELD.search(text, max(0, line - 128), line) if line > 0 else None
    return found[1].rpartition(".")[2] if found else ""


def _at_the_end(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """What reads like a secret behind the cut: the name that would tell may be gone with the middle."""
    cut = text.find(_CUT, start, end)
    if cut < 0:
        return
    tail = text[cut + len(_CUT) : end]
    for match in _AT_THE_END.finditer(tail):
        value = match[match.lastindex or 0]
        if (has_digit(value) or is_opaque(value)) and "[redacted" not in value:
            first = cut + len(_CUT) + match.start(match.lastindex or 0)
            yield first, first + len(value), "cut_input"

"""The id inside whatever a person pasted: an id with spaces or quotes, a link, a line of a log."""

import re
from typing import Final

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TRACE: Final = r"[0-9a-f]{32}"
_LABEL: Final = r"(?:[^0-9A-Za-z]|%[0-9A-F]{2}){0,8}?"
"""Between a name and its value: `=`, `": "`, ` = '`, also as a link writes them."""
_WANTED: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"failure_?id{_LABEL}({_UUID}|{_TRACE})(?![0-9a-z])",
        rf"trace_?id{_LABEL}({_TRACE})(?![0-9a-z])",
        rf"(?<![0-9a-z])({_UUID})(?![0-9a-z])",
        rf"(?<![0-9a-z])({_TRACE})(?![0-9a-z])",
    )
)
_LONGEST: Final = 64 * 1024


def id_in(text: str) -> str:
    """The failure_id or trace_id in a text; of several the one that is named so, else the first; empty for none."""
    found = (pattern.search(text[:_LONGEST]) for pattern in _WANTED)
    return next((match[1].lower() for match in found if match), "")

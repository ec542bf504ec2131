"""The one way from a subject's values to stored JSON: bounded, redacted, marked, and it never raises.

`sanitise` takes any object, `sanitise_text` messages and logs, `sanitise_attributes` a span's attributes. All three
redact in the same pass and tally into `Marks`. What was changed is marked: `markers` holds the format. What has been
through here before (a `Mark`, a `CleanText`) passes untouched, so sanitising twice changes nothing.
"""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from failtrace.capture.clean_text import CleanText, Keep, bounded_text
from failtrace.capture.foreign_values import mro_of, text_of, type_name
from failtrace.capture.interrupts import came_from_handler
from failtrace.capture.markers import Mark, Marks, mark
from failtrace.capture.redaction import could_name_secret, gate
from failtrace.capture.sanitiser_walk import Walk, judge_key
from failtrace.capture.secret_values import named_value
from failtrace.capture.value_limits import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_EXACT_INT,
    MAX_ITEMS,
    MAX_NODES,
    MAX_SECONDS,
    MAX_TEXT,
)
from failtrace.contracts.base import Json
from failtrace.secrets.names import MAX_KEY
from failtrace.secrets.own_rules import cached_by_rules

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_ITEMS",
    "MAX_NODES",
    "MAX_SECONDS",
    "MAX_TEXT",
    "CleanText",
    "Mark",
    "Marks",
    "sanitise",
    "sanitise_attributes",
    "sanitise_text",
]


_FEW, _SHORT = 8, 256
"""Fields, and characters of each, of a dict that is looked at without a walk: most steps' input is no more."""
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)
"""Their `str` could be without end, so a text is made from their JSON."""


def sanitise(value: object, marks: Marks) -> Json:
    """Any object as bounded, redacted JSON. Raises nothing; a KeyboardInterrupt of the user's passes.

    (One that a hostile `__repr__` raises is taken for a broken repr.)
    """
    kind = type(value)
    if kind is str and _is_plain(value, MAX_TEXT):  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    if kind is dict and len(value) <= _FEW and _is_flat(value) and named_value(value) is None:  # type: ignore[arg-type]
        return value.copy()  # type: ignore[attr-defined, no-any-return]
    try:
        return Walk(marks).value(value, 0)
    except Exception as error:  # the last edge: no room on the stack or in memory
        if came_from_handler(error):
            raise
        return mark("object", type=type_name(type(value)), repr=f"<could not be read: {type_name(type(error))}>")


def sanitise_text(text: object, marks: Marks, limit: int = MAX_TEXT, keep: Keep = "start") -> str:
    """A message, traceback, log line or tail as a redacted text of at most `limit` characters, surrogates escaped.

    `keep` says which end survives a cut. Who keeps a tail should hand over 8 KiB more than `limit`, so that a secret
    across the cut is seen whole.
    """
    if type(text) is CleanText or (type(text) is str and _is_plain(text, limit)):
        return text
    plain = text if type(text) is str else _as_text(text, marks)
    return bounded_text(plain, limit, keep, marks)


def sanitise_attributes(attributes: Mapping[str, object], marks: Marks) -> dict[str, Json]:
    """A span's attributes as JSON. A text that is JSON itself is redacted by the key names inside it."""
    for key, value in attributes.items():
        if type(value) is not CleanText or not _is_plain_key(key):
            break
    else:
        # All that a step of ours has: it was sanitised before it became an attribute. Plain texts, for JSON is made of
        # those five times as quickly.
        return {key: str(value) for key, value in attributes.items()}
    walk = Walk(marks)
    texts = {key: _redact_json(value, marks) if type(value) is str else value for key, value in attributes.items()}
    clean = walk.value(texts, 0)
    return clean if type(clean) is dict else {"$failtrace": clean}


def _is_flat(fields: dict[Any, object]) -> bool:
    """Whether all its texts and numbers can stay as they are, under names that say nothing of them."""
    for key, value in fields.items():
        if type(key) is not str or not _is_plain_key(key):
            return False
        kind = type(value)
        if kind is str:
            if not _is_plain(value, _SHORT):  # type: ignore[arg-type]
                return False
        elif kind is int:
            if not -MAX_EXACT_INT <= value <= MAX_EXACT_INT:  # type: ignore[operator]
                return False
        elif kind is not bool and value is not None:
            return False
    return True


def _is_plain(text: str, limit: int) -> bool:
    """Whether a text can stay as it is: most can, and need nothing else done."""
    return len(text) <= limit and text.isascii() and not gate()(text)


@cached_by_rules(1024)
def _is_plain_key(key: str) -> bool:
    """Whether a name may stand as it is, and says nothing about what stands under it."""
    return len(key) <= MAX_KEY and judge_key(key) is None


def _redact_json(text: str, marks: Marks) -> str:
    """The text, encoded anew if it is JSON with a secret inside; the same text otherwise."""
    if text.lstrip()[:1] not in ("{", "[") or len(text) > MAX_TEXT or not could_name_secret(text):
        return text
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = Marks()
    clean = Walk(inner).value(parsed, 0)
    if not inner.values_redacted:
        return text
    marks.values_redacted += inner.values_redacted
    marks.bytes_cut += inner.bytes_cut
    return json.dumps(clean, ensure_ascii=False)


def _as_text(value: object, marks: Marks) -> str:
    bases = mro_of(type(value))
    if any(base is str for base in bases):
        return str.__str__(value)
    if type(value) is bytes:
        return value.decode("utf-8", "backslashreplace")
    if any(base is container for base in bases for container in _CONTAINERS):
        return json.dumps(sanitise(value, marks), ensure_ascii=False)
    return text_of(value, str)

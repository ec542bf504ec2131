"""A record's values as a person reads them: what the sanitiser noted in markers stands there in words, in ‹ ›.

Imports no Streamlit. The markers are those of `failtrace.capture.markers`; the whole record keeps them as they are.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from failtrace.capture.markers import KEY
from failtrace.contracts import Json

_LONGEST_BYTES: Final = 64
"""Bytes of a bytes object that are shown."""
_HOLDS_ITEMS: Final = "items"


def spoken(value: Json) -> Json:
    """The value with words for markers; one without markers is equal to what it was."""
    if isinstance(value, list):
        return [spoken(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(KEY)
    if isinstance(kind, str):
        return _marker(kind, value)
    return {_key(key, item): spoken(item) for key, item in value.items()}


def _key(key: str, item: Json) -> str:
    """A dict that was cut says so under the markers' own key."""
    return "‹cut›" if key == KEY and isinstance(item, dict) else key


def _marker(kind: str, fields: Mapping[str, Json]) -> Json:
    if _HOLDS_ITEMS in fields:
        return {f"‹{kind}›": spoken(fields[_HOLDS_ITEMS])}
    if kind == "cut":
        return _cut(fields)
    if kind == "bytes":
        return _bytes(fields)
    return f"‹{_words(kind, fields)}›"


def _words(kind: str, fields: Mapping[str, Json]) -> str:
    said = {name: _text(value) for name, value in fields.items()}
    match kind:
        case "redacted":
            return f"redacted: {said.get('rule', 'a secret')}"
        case "cycle":
            return f"the same {said.get('type', 'object')}, {said.get('levels_up', '?')} levels up"
        case "exception":
            return f"{said.get('type', 'exception')}: {said.get('message', '')}"
        case "enum":
            return f"{said.get('type', 'enum')}.{said.get('name', '')} = {said.get('value', '')}"
        case "object":
            return f"{said.get('type', 'object')} {said.get('repr', '')}"
    return f"{kind} {said.get('value') or said.get('hex', '')}"


def _cut(fields: Mapping[str, Json]) -> Json:
    """`the text… ‹cut: 1,000 of 3,000 characters kept›`; of a list or a dict the note alone."""
    size, kept, kind = fields.get("size"), fields.get("kept"), fields.get("type")
    if kind == "depth":
        return "‹cut: nested too deeply›"
    if isinstance(kept, str):
        return f"{kept}… ‹cut: {len(kept):,} of {_count(size)} characters kept›"
    return f"‹cut: {_count(kept)} of {_count(size)} kept›"


def _bytes(fields: Mapping[str, Json]) -> str:
    told = f"{_count(fields.get('size'))} bytes"
    if isinstance(text := fields.get("text"), str):
        return f"‹{told}› {text}"
    try:
        content = base64.b64decode(str(fields.get("base64", "")), validate=True)
    except ValueError:
        return f"‹{told}›"
    begin = ", beginning with" if len(content) > _LONGEST_BYTES or "kept" in fields else ""
    return f"‹{told}{begin} {content[:_LONGEST_BYTES]!r}›"


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

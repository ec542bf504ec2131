"""Texts made fit to store: no lone surrogates, no secrets, no longer than their limit."""

import hashlib
from typing import Literal

from failtrace.capture.markers import Marks
from failtrace.capture.redaction import redact_text
from failtrace.capture.value_limits import MAX_HASHED, SLACK

_NOTE_ROOM = 40

Keep = Literal["start", "end"]


class CleanText(str):
    """Text that has been through the sanitiser already; it passes through untouched."""

    __slots__ = ()


def valid_text(text: str) -> str:
    """The text with lone surrogates written as `\\udcff`; the same object where it has none."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def clean_text(text: str, limit: int, keep: Keep = "start") -> tuple[str, int]:
    """What may be kept of the text in `limit` characters, and how many secrets it held.

    A longer text is redacted before it is cut, with SLACK characters more on the side of the cut, and as many are
    dropped there afterwards: a secret that lies across the cut is seen whole or dropped whole.
    """
    if len(text) <= limit:
        return redact_text(valid_text(text))
    window = text[: limit + SLACK] if keep == "start" else text[-(limit + SLACK) :]
    clean, count = redact_text(valid_text(window))
    spare = SLACK if len(window) < len(text) else 0
    room = max(0, min(limit, len(clean) - spare))
    return (clean[:room] if keep == "start" else clean[len(clean) - room :]), count


def bounded_text(text: str, limit: int, keep: Keep, marks: Marks) -> str:
    """The clean text, at most `limit` characters; `…[cut: 123 characters]` stands for what went, if there is room."""
    if len(text) <= limit:
        clean, count = clean_text(text, limit)
        marks.values_redacted += count
        if len(clean) <= limit:
            return clean
        text = clean  # escapes and markers made it longer
    note_room = _NOTE_ROOM if limit > 2 * _NOTE_ROOM else 0
    kept, count = clean_text(text, limit - note_room, keep)
    marks.values_redacted += count
    marks.bytes_cut += max(0, byte_length(text) - byte_length(kept))
    note = f"…[cut: {len(text) - len(kept)} characters]" if note_room else ""
    return kept + note if keep == "start" else note + kept


def byte_length(text: str) -> int:
    """Length in UTF-8 bytes; lone surrogates count too."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def size_and_hash(text: str) -> tuple[int, str | None]:
    """Length in UTF-8 bytes and sha256 of the whole text; an estimate and None beyond MAX_HASHED."""
    if len(text) > MAX_HASHED:
        return len(text), None
    data = text.encode("utf-8", "surrogatepass")
    return len(data), hashlib.sha256(data).hexdigest()

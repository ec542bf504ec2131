"""Full-text search over failures: what of a record is indexed, and how a person's words become a query."""

import re
from collections.abc import Iterator

from failtrace.contracts import ErrorInfo, FailureEvent, Json, TraceRecord

TEXT_LIMIT = 4096
"""Characters of one failure that are indexed."""
VALUE_LIMIT = 640
"""Of these, at most so many from the start of the input, and of the output."""
_WORDS_LIMIT = 32

_UNSPEAKABLE = re.compile("[\x00\ud800-\udfff]")


def text_of(record: TraceRecord, failure: FailureEvent) -> str:
    """What a person may remember: subject, message, errors, steps, the start of input and output."""
    parts = [record.subject.name, failure.message]
    if failure.error:
        parts += _error_texts(failure.error)
    parts += dict.fromkeys(step.name for step in record.steps)
    for value in (record.input, record.output):
        parts.append(_start_of(value))
    return "\n".join(parts)[:TEXT_LIMIT]


def match_expression(text: str) -> str | None:
    """The FTS5 expression for a person's words; None where there is nothing to look for.

    Every word is quoted, so that FTS5's syntax is data. All must occur; the last may be the start of a word.
    """
    words = [word for word in _UNSPEAKABLE.sub(" ", text).split() if any(map(str.isalnum, word))]
    if not words:
        return None
    quoted = ['"' + word.replace('"', '""') + '"' for word in words[:_WORDS_LIMIT]]
    return " ".join(quoted) + ("*" if text[-1:].isalnum() else "")


def _error_texts(error: ErrorInfo) -> Iterator[str]:
    yield f"{error.type} {error.message}"
    for inner in (*error.causes, *error.exceptions):
        yield f"{inner.type} {inner.message}"


def _start_of(value: Json) -> str:
    """The leading texts of a JSON value, keys included, without encoding what will not be used."""
    if isinstance(value, str):
        return value[:VALUE_LIMIT]
    found: list[str] = []
    room = VALUE_LIMIT
    for text in _texts(value):
        found.append(text[:room])
        room -= len(text) + 1
        if room <= 0:
            break
    return " ".join(found)


def _texts(value: Json) -> Iterator[str]:
    waiting: list[Json] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, held in reversed(item.items()):
                waiting += (held, key)
        elif isinstance(item, list):
            waiting += reversed(item)
        elif item is not None:
            yield str(item)

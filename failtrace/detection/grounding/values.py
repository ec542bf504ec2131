"""Texts out of JSON values: what an output says, what a step gave, what the user asked."""

import re
from collections.abc import Iterator
from typing import TypeGuard

from failtrace.capture.markers import KEY
from failtrace.contracts import Json

_NUMBERS = ("int", "decimal", "fraction")
"""Kinds of marker whose value is a number."""

_UNJUDGED_KEY = re.compile(
    r"(?:.*_)?(?:id|ids|uuid|index|offset|score|confidence|probability|version|timestamp|tokens|usage|latency|ms|url)",
    re.IGNORECASE,
)
_QUESTION_KEY = re.compile(
    r"(?:user_?|chat_?)?(?:question|query|prompt|context|messages?|input|instructions?|request|history|topic)",
    re.IGNORECASE,
)


def output_text(output: Json) -> str:
    """The judged output text: what the spans of an UnsupportedClaim point into.

    A string is taken as it is. In a list or an object every string leaf is a line of its own and every number
    leaf a line `key: number` (the nearest key; a bare number where there is none), in the order of the value.
    Of the sanitiser's markers what they kept is read. Left out are values under keys that name bookkeeping
    (`id`, `score`, `confidence`, …), booleans and nulls.
    """
    if isinstance(output, str):
        return output
    return "\n".join(_leaves(output, "", judged=True))


def evidence_texts(output: Json) -> Iterator[str]:
    """What a step gave, as texts: string leaves, `key: number` for numbers, `key: n items` for lists; then its keys."""
    yield from _leaves(output, "", judged=False)
    # Names and ids are often keys: `{"height": 4}`, `{"W100": {…}}`.
    if keys := "; ".join(_keys(output)):
        yield keys


def question_text(value: Json) -> str:
    """What the user said, out of a subject's input.

    The input if it is a string, else the leaves under keys such as `question`, `context` and `messages`: not the
    whole input, which may carry documents, and answers that would vouch for themselves.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(
            text
            for key, item in value.items()
            if _QUESTION_KEY.fullmatch(key)
            for text in _leaves(item, "", judged=False)
        )
    return ""


def holds_cut(value: Json) -> bool:
    """Did the sanitiser cut something out of this value?"""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if item.get(KEY) == "cut":
                return True
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def _leaves(value: Json, key: str, *, judged: bool) -> Iterator[str]:
    if not judged and _is_collection(value):
        yield f"{key}: {len(value)} items" if key else f"{len(value)} items"
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{key}: {_number_text(value)}" if key else _number_text(value)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key, judged=judged)
    elif isinstance(value, dict) and isinstance(value.get(KEY), str):
        yield from _marked(value, key, judged=judged)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != KEY and not (judged and _UNJUDGED_KEY.fullmatch(name)):
                yield from _leaves(item, name, judged=judged)


def _keys(value: Json) -> dict[str, None]:
    """Every key in the value, once; those of the sanitiser's markers left out."""
    found: dict[str, None] = {}
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict) and KEY not in item:
            found |= dict.fromkeys(item)
        pending.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
    return found


def _is_collection(value: Json) -> TypeGuard[list[Json] | dict[str, Json]]:
    """Several things of a kind, which an output may count: a list, or records under their keys."""
    if isinstance(value, dict):
        return len(value) > 1 and all(isinstance(item, dict) for item in value.values())
    return isinstance(value, list) and len(value) > 1


def _marked(marker: dict[str, Json], key: str, *, judged: bool) -> Iterator[str]:
    """What a marker of the sanitiser kept: the text of a decimal or a date, the items of a set, the rest of a cut."""
    left = next((marker[field] for field in ("value", "items", "kept") if field in marker), None)
    if marker[KEY] in _NUMBERS and isinstance(left, str) and key:
        yield f"{key}: {left}"
    elif isinstance(left, (str, list)):
        yield from _leaves(left, key, judged=judged)


def _number_text(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.15g}"

"""What a store of JSON numbers as doubles would change in a record, written down so that it comes back byte for byte.

Cosmos DB keeps every number as a double and may give `1.0` back as `1`, `-0.0` as `0`; its emulators, written in
JavaScript, also give `1e20` back without an exponent and put keys that look like array indices first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

_INDEX_KEY = re.compile(rb'"\d+":')

Patch = list[Any]
"""[path of keys and indices, the number as text], or [path, keys in their order]."""

_INDICES = 2**32 - 1
_EXACT = 2**53
_LARGEST = 2**1000
"""Beyond it an integer is no double at all."""
_LONGEST = 400
_LOSSY = (dict, list, float, int)


def read(body: bytes) -> tuple[Any, bool]:
    """An encoded record as a value, and whether it may need patches: most do not, and this looks at numbers alone."""
    lossy: list[bool] = []

    def number(kind: type[float] | type[int], text: str) -> float | int:
        value = kind(text)
        if _is_lossy(value):
            lossy.append(True)
        return value

    record = json.loads(body, parse_float=partial(number, float), parse_int=partial(number, int))
    return record, bool(lossy) or _INDEX_KEY.search(body) is not None


def patches(record: Any) -> list[Patch]:
    """What a JSON value loses as doubles and as a JavaScript object; empty for most.

    Raises OverflowError for an integer that is no double.
    """
    return list(_losses(record, []))


def apply(record: Any, repairs: list[Patch]) -> Any:
    """The value as it was, from what came back and its patches. Raises ValueError where they do not fit."""
    for repair in repairs:
        record = _repaired(record, *repair)
    return record


def is_integer(text: str) -> bool:
    """Whether the text of a number is that of an integer."""
    return text.lstrip("-").isdecimal()


def _losses(value: Any, path: list[str | int]) -> Iterator[Patch]:
    if isinstance(value, (float, int)):
        if _is_lossy(value):
            if abs(value) > _LARGEST and isinstance(value, int):
                raise OverflowError(f"an integer of {value.bit_length()} bits")
            yield [path, json.dumps(value)]
        return
    for part, item in enumerate(value) if isinstance(value, list) else value.items():
        if isinstance(item, _LOSSY):
            yield from _losses(item, [*path, part])
    if isinstance(value, dict) and len(value) > 1 and any(_looks_like_an_index(key) for key in value):
        yield [path, list(value)]


def _is_lossy(number: float | int) -> bool:
    return number.is_integer() if isinstance(number, float) else abs(number) > _EXACT


def _looks_like_an_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or key[0] != "0") and int(key) < _INDICES


def _repaired(record: Any, path: list[str | int], repair: Any) -> Any:
    if not path:
        return _whole(record, repair)
    try:
        parent = record
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = _whole(parent[path[-1]], repair)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"nothing is at {path}") from error
    return record


def _whole(found: Any, repair: Any) -> Any:
    if isinstance(repair, str) and len(repair) < _LONGEST:
        number = int(repair) if is_integer(repair) else float(repair)
        if not isinstance(found, (int, float)) or not math.isclose(found, number):
            raise ValueError(f"{found!r} is not {repair}")
        return number
    if not isinstance(found, dict) or not isinstance(repair, list) or set(found) != set(repair):
        raise ValueError("the keys are others")
    return {key: found[key] for key in repair}

"""Where a list goes on: the sort key of the last row shown, as text that is checked when it comes back."""

import re

from failtrace.errors import InputError

LIMIT_MOST = 10_000
"""Rows of one page at most."""

_CURSOR = re.compile(r"(-?[0-9]{1,18}|0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4})\.([0-9]{1,18})")


def encode(key: int | float, row_id: int) -> str:
    """The cursor after a row of a list that is ordered by a moment (an int) or a duration (a float), and the id."""
    return f"{key.hex() if isinstance(key, float) else key}.{row_id}"


def decode(cursor: str) -> tuple[int, int]:
    """The moment and id in a cursor. Raises InputError for anything that `encode` does not make of a moment."""
    key, row_id = _decoded(cursor)
    return int(key), row_id


def decode_duration(cursor: str) -> tuple[float, int]:
    """The duration and id in a cursor. Raises InputError for anything that `encode` does not make of a duration."""
    key, row_id = _decoded(cursor, hexadecimal=True)
    return float.fromhex(key), row_id


def _decoded(cursor: str, *, hexadecimal: bool = False) -> tuple[str, int]:
    match = _CURSOR.fullmatch(cursor)
    if not match or match[1].startswith("0x") is not hexadecimal:
        raise InputError(f"The page {cursor[:60]!r} cannot be found: start from the first page of the list.")
    return match[1], int(match[2])


def check_limit(limit: int) -> int:
    """The limit itself. Raises InputError outside 1 to LIMIT_MOST."""
    if not 1 <= limit <= LIMIT_MOST:
        raise InputError(f"A page cannot have {limit!r} rows; ask for 1 to {LIMIT_MOST}.")
    return limit

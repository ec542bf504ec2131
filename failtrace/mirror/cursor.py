"""Where a list goes on: the sort key of the last row shown, as text that is checked when it comes back."""

import re

from failtrace.errors import InputError

LIMIT_MOST = 10_000
"""Rows of one page at most."""

_CURSOR = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")


def encode(moment: int, row_id: int) -> str:
    """The cursor after a row; all lists are ordered by (moment, id), newest first."""
    return f"{moment}.{row_id}"


def decode(cursor: str) -> tuple[int, int]:
    """The sort key in a cursor. Raises InputError for anything that `encode` does not make."""
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise InputError(f"The page {cursor[:60]!r} cannot be found: start from the first page of the list.")
    return int(match[1]), int(match[2])


def check_limit(limit: int) -> int:
    """The limit itself. Raises InputError outside 1 to LIMIT_MOST."""
    if not 1 <= limit <= LIMIT_MOST:
        raise InputError(f"A page cannot have {limit!r} rows; ask for 1 to {LIMIT_MOST}.")
    return limit

"""Expressions of users, in RE2: time linear in the text, whatever the expression."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol


class LinearMatch(Protocol):
    """Where an expression matched."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Start and end in characters; (-1, -1) of a group that took no part."""


class LinearPattern(Protocol):
    """A compiled expression; the part of `re.Pattern` that is used here."""

    @property
    def groupindex(self) -> Mapping[str, int]:
        """The named groups."""

    def search(self, text: str) -> LinearMatch | None:
        """The first match."""

    def fullmatch(self, text: str) -> LinearMatch | None:
        """The match of the whole text."""

    def finditer(self, text: str) -> Iterator[LinearMatch]:
        """All matches that do not overlap."""


@lru_cache(maxsize=1024)
def compile_linear(pattern: str) -> LinearPattern:
    """The expression, compiled. Raises ValueError that says what is wrong with it."""
    import re2  # 7 ms, that only who has expressions pays

    options: Any = re2.Options()
    options.log_errors = False
    try:
        compiled: LinearPattern = re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else error
        raise ValueError(
            f"{pattern!r} is no expression of RE2 ({told}; it has no look-around and no back references)"
        ) from error
    return compiled

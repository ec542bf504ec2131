r"""Texts in which another stands as JSON or as a repr, with the ends of its lines as `\n`, or `\\n` deeper in."""

import re
from functools import lru_cache

_ESCAPED = re.compile(r"(?:\\{1,7}r)?\\{1,7}([nrt])")
_MEANING = {"n": "\n", "r": " ", "t": "\t"}


@lru_cache(maxsize=1)
def with_lines(text: str) -> str:
    """The text with lines where escapes say so, each character at its place: spaces stand behind them.

    The last one is kept, for several rules read one text in turn.
    """
    return _ESCAPED.sub(_spelled_out, text) if "\\n" in text else text


def _spelled_out(match: re.Match[str]) -> str:
    return _MEANING[match[1]].ljust(len(match.group()))

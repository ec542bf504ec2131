"""Texts from outside: lone surrogates are not UTF-8, so SQLite neither keeps them nor can be asked for them."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def speakable(text: str) -> bool:
    """Whether SQLite can be asked for a text; one that it cannot be asked for is nowhere in the file."""
    return not _SURROGATE.search(text)


def spoken(text: str) -> str:
    """The text as it can be kept, with U+FFFD for each lone surrogate."""
    return _SURROGATE.sub("\ufffd", text)

"""Whether a text says no."""

import re
from typing import Final

_NEGATION: Final = re.compile(r"\b(?:not|never|no|cannot|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)


def has_negation(text: str) -> bool:
    """Does it say no anywhere?"""
    return _NEGATION.search(text) is not None


def denies(text: str) -> bool:
    """Does it say no as a whole? Two negations take each other back."""
    return len(_NEGATION.findall(text)) % 2 == 1

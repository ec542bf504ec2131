"""Markers in place of the secrets that were found."""

from collections.abc import Callable, Iterable


def replaced(text: str, found: Iterable[tuple[int, int, str]], kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with `[redacted:rule]` from start to end of each that is not `kept`, and how many there were.

    They come in the order of the text; of two that overlap the first goes.
    """
    pieces: list[str] = []
    copied = 0
    for start, end, rule in found:
        if copied <= start < end and not kept(text[start:end]):
            pieces += text[copied:start], f"[redacted:{rule}]"
            copied = end
    return "".join((*pieces, text[copied:])), len(pieces) // 2

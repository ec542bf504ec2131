"""Markers in place of the secrets that were found."""

from collections.abc import Callable, Iterable


def replaced(text: str, found: Iterable[tuple[int, int, str]], kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with `[redacted:rule]` from start to end of each that is not `kept`, and how many there were.

    They come in the order of the text; of two that overlap the first goes.
    """
    pieces: list[str] = []
    count = copied = 0
    for start, end, rule in found:
        if copied <= start < end and not kept(text[start:end]):
            pieces += text[copied:start], f"[redacted:{rule}]"
            copied = end
            count += 1 - text.count("[redacted:", start, end)  # what stood in it was counted before
    return "".join((*pieces, text[copied:])), count

r"""Where quotes and brackets close that opened in a text, also where JSON stands in JSON that stands in JSON.

Each time that a text is written into another, its quotes get a backslash and its backslashes become two: `"`, `\"`,
`\\\"`. So what opened behind n backslashes is closed by a quote behind n more than a multiple of 2(n + 1).
"""

import re
from functools import cache

_MARKS = re.compile(r"[\[\]{}]|(?<!\\)(?:\\|\\{3}|\\{7})?[\"']")
_BRACKETS = re.compile(r"[\[\]{}]")
_MAY_OPEN = re.compile(r"(?:[\[{(,:=<>|+\s]|\\[nrt]|(?<![A-Za-z0-9])[bBrRuUfF]{1,2})\Z")
"""What stands before a quote that opens."""
_MAX_BRACKETS = 20
"""That open within each other, or in quotes: no character is read more often than that."""


def closing_quote(text: str, start: int, quote: str) -> int:
    """Where the text ends that `quote` opened right before `start`: at the quote that closes it, or with the line.

    A quote of fewer backslashes ends what holds the whole: the text was cut.
    """
    end = _end_of(quote).search(text, start)
    return len(text) if end is None else end.start(end.lastgroup or 0)


@cache
def _end_of(quote: str) -> re.Pattern[str]:
    """Finds what ends a text that `quote` opened."""
    if quote[-1] not in "\"'`":  # `&quot;` and `\u0022`: a bare quote is that of the attribute or text around it
        return re.compile(rf"(?P<closing>{re.escape(quote)})|[\"<>\n]")
    escapes, mark = len(quote) - 1, quote[-1]
    cut = rf"|(?<!\\)\\{{0,{escapes - 1}}}{mark}" if escapes else ""
    # JSON doubles the backslash of an apostrophe that a repr had escaped, and does not escape its quotes.
    apostrophe = r"(?!(?<=\\')\w)" if quote == "'" else ""
    return re.compile(rf"(?<!\\)(?:\\{{{2 * (escapes + 1)}}})*+(?P<closing>\\{{{escapes}}}{mark}){apostrophe}{cut}|\n")


def closing_bracket(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`, if there is one; those in quotes do not count.

    Where the text in quotes ends before that holds them all, there.
    """
    depth = in_quotes = 0
    at = start
    while depth + in_quotes <= _MAX_BRACKETS and (match := _MARKS.search(text, at)):
        mark, at = match.group(), match.end()
        if mark[-1] in "'\"":
            if not _MAY_OPEN.search(text, max(0, match.start() - 3), match.start()):
                if mark[-1] == "'":
                    continue  # an apostrophe
                return match.start()  # the end of what holds all this: it was cut
            closed = closing_quote(text, at, mark)
            if text.startswith(mark, closed):
                in_quotes += text.count("[", at, closed) + text.count("{", at, closed)
                at = closed + len(mark)
            continue
        depth += 1 if mark in "[{" else -1
        if depth == 0:
            return at
    return _closing_whatever_is_quoted(text, start)


def _closing_whatever_is_quoted(text: str, start: int) -> int | None:
    """For what looked like a quote may be an apostrophe."""
    depth = 0
    for match in _BRACKETS.finditer(text, start):
        depth += 1 if match.group() in "[{" else -1
        if depth == 0:
            return match.end()
        if depth > _MAX_BRACKETS:
            return None
    return None

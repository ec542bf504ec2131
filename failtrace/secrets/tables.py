"""Secrets in tables, whose name stands at the head of their column: CSV, TSV, Markdown, what psql and pandas print."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from failtrace.secrets.escaped_lines import with_lines
from failtrace.secrets.judgement import has_digit, is_mixed, is_opaque
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.replacing import replaced
from failtrace.secrets.values import quoted_is_secret

GATE_BEHIND_NAME = r"[\"'*\\]{0,8}(?:[ ]{0,40}(?:[,;|\t\u2502\u2503\u2506]|\r?\n|\\{1,7}[nrt])|[ ]{2,40})"
"""What stands behind a name in a head."""

_LINE = re.compile(r"[^\r\n]++")
_SEPARATORS = tuple(map(re.compile, (r"[|\u2502\u2503\u2506]", r"\t", r",(?![ ])", r";(?![ ])", r"[ ]{2,}")))
_ALIGNED = _SEPARATORS[-1]
_NAME = re.compile(r"[A-Za-z_#][\w .-]{0,60}")
_RULER = re.compile(r"[-=+|: \t\u2500-\u257f]{3,}")
_ANOTHER = re.compile(r"\s*(?:\\{0,7}[\"']\s*[,}\])]|[{\[}\]])")
"""What begins a line that is of no table any more."""
_MAX_LINE = 4096
_LONG = 16
"""Characters of what is no word under a name that also stands for harmless things."""
_EDGES = " \t|\u2502\u2503\u2506"
_QUOTES = "\"'\\ *`\ufeff"
_UP_TO_QUOTE = re.compile(r".*[:=(\[{,][ ]?\\{0,7}[\"']")
_VALUE = re.compile(r"\\{0,7}[\"']?(?P<value>[^\"'\\\r\n]*+)")


class _Head(NamedTuple):
    separator: re.Pattern[str]
    secret: dict[int, SecretKey]
    """By the place of the column; from the end, below zero, where columns are only aligned: pandas names no index."""
    columns: int


def redact_tables(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each secret under the name of its column replaced, and how many there were."""
    return replaced(text, _secrets(with_lines(text)), kept)


def _secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each stands, and by which rule."""
    head: _Head | None = None
    read = 0
    for match in _LINE.finditer(text):
        line, begin = match.group(), match.start()
        if _ANOTHER.match(line) or text.count("\n", read, begin) > 1:
            head = None
        read = match.end()
        if len(line) > _MAX_LINE or _RULER.fullmatch(line):
            continue
        cells = _cells(line, head.separator) if head else []
        if head is None or len(cells) < head.columns:
            # In a text that stands in another a head may begin behind a quote.
            quote = _UP_TO_QUOTE.match(line)
            head = _head(line) or (_head(line[quote.end() :]) if quote else None)
            continue
        for place, key in head.secret.items():
            value = _VALUE.match(text, begin + cells[place][0], begin + cells[place][1])
            if value and _tells(value["value"].rstrip(), key):
                yield *value.span("value"), key.rule


def _head(line: str) -> _Head | None:
    """What the line says of the columns below, where it has nothing but names, one of them that of a secret."""
    for separator in _SEPARATORS:
        names = [line[start:end].strip(_QUOTES) for start, end in _cells(line, separator)]
        if sum(map(bool, names)) < 2:
            continue  # `"password",` is an item of a list in code
        if not all(map(_NAME.fullmatch, filter(None, names))):
            return None
        from_end = len(names) if separator is _ALIGNED else 0
        keys = {place - from_end: secret_key(name) for place, name in enumerate(names)}
        # kubectl's column of that name has the names of secrets.
        secret = {place: key for place, key in keys.items() if key is not None and "AGE" not in names}
        return _Head(separator, secret, len(names)) if secret else None
    return None


def _cells(line: str, separator: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where the cells begin and end, without what stands around all of them."""
    first, last = len(line) - len(line.lstrip(_EDGES)), len(line.rstrip(_EDGES))
    cells = []
    for found in separator.finditer(line, first, last):
        cells.append((first, found.start()))
        first = found.end()
    return [_bare(line, *cell) for cell in (*cells, (first, last))]


def _bare(line: str, first: int, last: int) -> tuple[int, int]:
    """Without the spaces at both ends."""
    cell = line[first:last]
    return first + len(cell) - len(cell.lstrip(" \t")), last - len(cell) + len(cell.rstrip(" \t"))


def _tells(value: str, key: SecretKey) -> bool:
    """Whether it is no word and no name, as stand in any table."""
    if key.doubtful and not (len(value) >= _LONG and is_mixed(value)):
        return False
    return (has_digit(value) or is_opaque(value)) and secret_key(value) is None and quoted_is_secret(value, key)

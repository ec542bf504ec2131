"""Secrets in statements of SQL whose name is that of a column: `INSERT INTO users (name, password) VALUES (…)`.

Libraries also tell a statement with `?` in it, and behind it the parameters, whose place alone says what they are:
SQLAlchemy as `[parameters: (…)]`, Django as `args=(…)`.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from failtrace.secrets.names import secret_key
from failtrace.secrets.replacing import replaced
from failtrace.secrets.values import quoted_is_secret

_ENGINE = r"\[(?:generated in|cached since|no key|raw sql)"
"""As SQLAlchemy's engine logs a statement, before its parameters."""
GATE = rf"(?i-u:insert|replace)(?:\s|\\n)+(?i-u:into)\s|(?i-u:parameters|params|args)[:=] ?[\[(]|{_ENGINE}"
"""What a text must hold for this module to matter."""

_GAP = r"(?:\s|\\{1,4}[nrt]){0,40}+"
_TOLD = re.compile(
    rf"(?:\b|(?=\[))(?:(?P<insert>(?i:insert|replace){_GAP}(?i:into){_GAP}[^\s()]{{1,128}}{_GAP}"
    rf"\((?P<columns>[^()]{{1,4096}}+)\){_GAP}(?i:values){_GAP})"
    r"|(?P<verb>(?i:update|select|delete))\s"
    rf"|(?P<parameters>(?:(?i:parameters|params|args)[:=]|{_ENGINE}[^\]\n]{{0,40}}\])[ ]?\[?(?=\()))"
)
_ITEM = re.compile(
    r"\s{0,40}+(?:[bBNE]?(?P<quote>\\{0,7}['\"])(?P<value>(?:(?P=quote){2}|(?!(?P=quote))\\?.)*+)(?P=quote)"
    r"|(?P<bare>[^\s,()'\"](?:[^,()'\"]|\([^()]{0,200}\))*+))?\s{0,40}+(?P<end>[,)])",
    re.DOTALL,
)
_NEXT_ROW = re.compile(rf",?{_GAP}\(|[ ]{{0,4}}\.\.\.[^()\n]{{1,100}}\.\.\.[ ]{{0,4}}\(")
"""The next of many; SQLAlchemy leaves out those in the middle."""
_MARK = re.compile(r"\?|%s|\$[0-9]{1,4}|:[0-9]{1,4}")
_BOUND = re.compile(rf"(?:(?P<name>[\w.\\\"`]{{1,128}})[ ]{{0,4}}=[ ]{{0,4}})?(?:{_MARK.pattern})")
_MAX_STATEMENT = 10_000
_MAX_ITEMS = 500


def redact_statements(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each secret that only its column gives away replaced, and how many there were."""
    return replaced(text, _secrets(text), kept)


def _secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each stands, and by which rule."""
    columns: list[str] = []
    statement = -1
    for match in _TOLD.finditer(text):
        if match["insert"] is not None:
            columns = [name.strip(" \t\r\n\"'`[]\\") for name in match["columns"].split(",")]
            rows = list(_rows(text, match.end()))
            yield from _under(columns, rows)
            marks = zip(columns, rows[0], strict=False) if rows else ()
            # Django tells the values in the statement and behind it, too.
            columns = [name for name, item in marks if _MARK.match(item.group().lstrip())] or columns
            statement = -1
        elif match["verb"] is not None:
            columns, statement = [], match.start()
        else:
            if statement >= 0 and match.start() - statement <= _MAX_STATEMENT:
                bound = _BOUND.finditer(text, statement, match.start())
                columns = [(mark["name"] or "").strip('\\"`') for mark in bound]
            yield from _under(columns, _rows(text, match.end()))
            columns, statement = [], -1


def _rows(text: str, at: int) -> Iterator[list[re.Match[str]]]:
    """The items of each `(…)` that follow one another from there."""
    opening = _NEXT_ROW.match(text, at)
    while opening:
        row: list[re.Match[str]] = []
        at = opening.end()
        while (item := _ITEM.match(text, at)) and len(row) < _MAX_ITEMS:
            row.append(item)
            at = item.end()
            if item["end"] == ")":
                break
        yield row
        opening = _NEXT_ROW.match(text, at)


def _under(columns: list[str], rows: Iterable[list[re.Match[str]]]) -> Iterator[tuple[int, int, str]]:
    """What of the rows stands in the column of a secret."""
    keys = [secret_key(name) for name in columns]
    for row in rows if any(keys) else ():
        for key, item in zip(keys, row, strict=False):
            if key is not None and item["value"] and quoted_is_secret(item["value"], key):
                yield *item.span("value"), key.rule

"""Where the value ends that stands behind the name of a secret, and whether it is one: quoted, in brackets, a header's.

Each name looks at the first few hundred characters behind it at most, or at what ends before the next name can follow;
only what is found to be a secret is read to its end. So a text of names alone takes time linear in its length.
"""

import re
from typing import NamedTuple

from failtrace.secrets.judgement import has_digit, is_opaque, is_opaque_under, is_place, is_placeholder, says_nothing
from failtrace.secrets.names import SecretKey


class Found(NamedTuple):
    """Where a secret stands."""

    start: int
    end: int
    quote: str = ""
    """What its marker is put between, where the secret itself was no text: so JSON stays JSON, and Python Python."""


OPENING = re.compile(
    r"[\[(]?(?:(?:SecretStr|SecretBytes|Secret|str|bytes|bytearray|Field|Column|mapped_column)\((?:default=)?"
    r"|ConvertTo-SecureString[ ]{1,4}(?:-String[ ]{1,4})?)?[bruf]{0,2}"
    r"(?P<quote>\"\"\"|'''|\\{0,3}[\"'`])"
)
_QUOTED = {
    '"""': re.compile(r'(?:(?!""")[^\\]|\\.)*+', re.DOTALL),
    "'''": re.compile(r"(?:(?!''')[^\\]|\\.)*+", re.DOTALL),
    "`": re.compile(r"[^`\n]*+"),
    '"': re.compile(r'(?:[^"\\\n]|\\.)*+'),
    "'": re.compile(r"(?:[^'\\\n]|\\.)*+"),
}
_QUOTED_IN_TEXT = re.compile(r"(?:[^\\\n]|\\(?!\\{0,2}[\"'`]))*+")
"""Each kind ends where the next of its kind begins."""
_AUTHORIZATION = re.compile(r"(?:[A-Za-z0-9-]{2,20}[ ]{1,4})?(?P<first>[^\s\"'\\,]{4,128}+)")
_COOKIES = re.compile(r"(?P<first>[^\s=;,\"'\\()]{1,128}+=[^\s;\"'\\]{1,128}+)")
_REST_OF_HEADER = re.compile(r"[^\"'\r\n\\]*+")
_HEADERS = {"key:authorization": _AUTHORIZATION, "key:cookie": _COOKIES}
_BRACKET = re.compile(r"[\[\]{}]")
_NOT_SPELLED_OUT = re.compile(
    r"\[\]|\{\}|\{\{|[\[{][A-Za-z_]\w*[\]}]|\{\s*[\"'](?:type|\$ref|\$failtrace|anyOf|description|title)[\"']"
)
"""Nothing, a name in an f-string or an index, a JSON Schema, what is redacted already."""
_QUOTED_INSIDE = re.compile(r"[:,\[{]\s{0,20}(?:\"([^\"\n]{3,}+)\"(?!\s{0,4}:)|'([^'\n]{3,}+)'(?!\s{0,4}:))")
_MAX_BRACKETS = 20
"""Levels: no character is read more often than that."""


def quoted_body(text: str, opening: re.Match[str]) -> Found:
    """What stands between the quotes, or up to the line's end where none closes."""
    body = _QUOTED.get(opening["quote"], _QUOTED_IN_TEXT).match(text, opening.end())
    return Found(*body.span()) if body else Found(opening.end(), opening.end())


def quoted_is_secret(value: str, key: SecretKey) -> bool:
    """Whether a text in quotes is one."""
    if len(value.strip()) < 3 or value[0] in "),]" or is_placeholder(value):
        return False
    if key.doubtful:
        return is_opaque_under(key.rule, value)
    return not (says_nothing(value) or is_place(value))


def bracketed(text: str, start: int, quote: str, key: SecretKey) -> Found | None:
    """What stands between brackets, up to the one that closes them: `passwords=['x', 'y']`, `"credentials": {…}`."""
    if key.doubtful or text[start : start + 1] not in ("[", "{") or _NOT_SPELLED_OUT.match(text, start):
        return None
    end = closing_bracket(text, start)
    return Found(start, end, quote) if end is not None and _holds_secret(text[start:end]) else None


def closing_bracket(text: str, start: int) -> int | None:
    """Where the bracket that stands at `start` is closed, if it is."""
    depth = 0
    for match in _BRACKET.finditer(text, start):
        depth += 1 if match.group() in "[{" else -1
        if depth == 0:
            return match.end()
        if depth > _MAX_BRACKETS:
            return None
    return None


def _holds_secret(brackets: str) -> bool:
    """Whether one of the texts inside is one. Without a quote it is the value itself, as ODBC writes it: `PWD={x}`."""
    values = [value for pair in _QUOTED_INSIDE.findall(brackets) for value in pair if value]
    return any(not says_nothing(value) for value in values) or (not values and has_digit(brackets[1:-1]))


def header_value(text: str, start: int, key: SecretKey) -> Found | None:
    """What follows `Authorization:` or `Cookie:`, up to the end of the line or the closing quote."""
    pattern = _HEADERS.get(key.rule)
    found = pattern.match(text, start) if pattern else None
    if found is None or (not is_opaque(found["first"]) and "=" not in found["first"]):
        return None
    rest = _REST_OF_HEADER.match(text, found.end())
    return Found(found.start("first"), rest.end() if rest else found.end())

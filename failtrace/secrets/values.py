"""Where the value ends that stands behind the name of a secret, and whether it is one: quoted, in brackets, a header's.

Each name looks at the first few hundred characters behind it at most, or at what ends before the next name can follow;
only what is found to be a secret is read to its end. So a text of names alone takes time linear in its length.
"""

import re
from typing import NamedTuple

from failtrace.secrets.enclosed import closing_bracket, closing_quote
from failtrace.secrets.judgement import has_digit, is_opaque, is_opaque_under, is_password, is_place_under, says_nothing
from failtrace.secrets.names import SecretKey, secret_key


class Found(NamedTuple):
    """Where a secret stands."""

    start: int
    end: int
    quote: str = ""
    """What its marker is put between, where the secret itself was no text: so JSON stays JSON, and Python Python."""


ENTITY = r"(?:&(?:quot|apos|[#]34|[#]39|[#]x22|[#]x27);|\\{1,4}u002[27])"
"""A quote, as HTML and JSON may write it."""
OPENING = re.compile(
    r"[\[(]?(?:(?:Secret(?:Str|Bytes|String)?|Some|Ok|[A-Z]\w{0,30}::(?:new|from)|str|bytes|bytearray|Field|Column|mapped_column)\((?:default=)?"
    r"|ConvertTo-SecureString[ ]{1,4}(?:-String[ ]{1,4})?)?[bruf@$]{0,2}"
    rf"(?P<quote>\"\"\"|'''|\\{{0,7}}[\"'`]|{ENTITY})"
)
_TRIPLE = {quote: re.compile(rf"(?:(?!{quote})[^\\]|\\.)*+", re.DOTALL) for quote in ('"""', "'''")}
_AUTHORIZATION = re.compile(r"(?:[A-Za-z0-9-]{2,20}[ ]{1,4})?(?P<first>[^\s\"'\\,]{4,128}+)")
_COOKIES = re.compile(r"(?P<first>[^\s=;,\"'\\()]{1,128}+=[^\s;\"'\\]{1,128}+)")
_REST_OF_HEADER = re.compile(r"[^\"'\r\n\\]*+")
_HEADERS = {"key:authorization": _AUTHORIZATION, "key:cookie": _COOKIES}
_NOT_SPELLED_OUT = re.compile(
    r"\[\]|\{\}|\{\{|[\[{][A-Za-z_]\w*[\]}]|\{\s*\\{0,7}[\"'](?:type|\$ref|\$failtrace|anyOf|description|title)\\{0,7}[\"']"
)
"""Nothing, a name in an f-string or an index, a JSON Schema, what is redacted already."""
_SCHEMA_BEGINS = re.compile(
    r"\{\s*\\{0,7}[\"'](?:default|format|enum|const|writeOnly|items|properties|m(?:in|ax)Length|allOf|oneOf|examples)\\{0,7}[\"']"
)
_SCHEMA_TYPE = re.compile(r"[\"'](?:type|\$ref|anyOf|allOf|oneOf)\\{0,7}[\"']\s*:")
_QUOTED_INSIDE = re.compile(
    r"(?:[:,{]|(?<![\w\])])\[)\s{0,20}\\{0,7}(?:\"([^\"\n]{3,}+)\"(?!\s{0,4}:)|'([^'\n]{3,}+)'(?!\s{0,4}:))"
)
_BARE_INSIDE = re.compile(r"[\[{,]\s{0,20}(?:[\w.@-]{1,80}:[ ])?([^\s,:\[\]{}'\"._]{5,128}+)(?=\s{0,20}[,\]}])")
"""`[x, y]` and `{ada: x}`, as YAML has them, and numbers in JSON; no name of code."""


def quoted_body(text: str, opening: re.Match[str]) -> Found:
    """What stands between the quotes, or up to the line's end where none closes."""
    quote, start = opening["quote"], opening.end()
    if triple := _TRIPLE.get(quote):
        body = triple.match(text, start)
        return Found(start, body.end() if body else start)
    return Found(start, closing_quote(text, start, quote))


def quoted_is_secret(value: str, key: SecretKey) -> bool:
    """Whether a text in quotes is one."""
    if len(value.strip()) < 3:
        return False
    if key.doubtful:
        return is_opaque_under(key.rule, value)
    return not (says_nothing(value) or is_place_under(key.rule, value))


def bracketed(text: str, start: int, quote: str, key: SecretKey) -> Found | None:
    """What stands between brackets, up to the one that closes them: `passwords=['x', 'y']`, `"credentials": {…}`."""
    if key.doubtful or text[start : start + 1] not in ("[", "{") or _NOT_SPELLED_OUT.match(text, start):
        return None
    end = closing_bracket(text, start)
    if end is None or (_SCHEMA_BEGINS.match(text, start) and _SCHEMA_TYPE.search(text, start, end)):
        return None
    return Found(start, end, quote) if _holds_secret(text[start:end], key) else None


def _holds_secret(brackets: str, key: SecretKey) -> bool:
    """Whether one of the texts inside is one. Without a quote it is the value itself, as ODBC writes it: `PWD={x}`."""
    values = [value.rstrip("\\") for pair in _QUOTED_INSIDE.findall(brackets) for value in pair if value]
    if values or has_digit(brackets[1:-1]):
        return not values or not all(map(says_nothing, values))
    bare = _BARE_INSIDE.findall(brackets) if key.of_many or is_password(key.rule) else []
    return any((value.isdigit() or has_digit(value)) and secret_key(value) is None for value in bare)


def header_value(text: str, start: int, key: SecretKey) -> Found | None:
    """What follows `Authorization:` or `Cookie:`, up to the end of the line or the closing quote."""
    pattern = _HEADERS.get(key.rule)
    found = pattern.match(text, start) if pattern else None
    if found is None or (not is_opaque(found["first"]) and "=" not in found["first"]):
        return None
    rest = _REST_OF_HEADER.match(text, found.end())
    return Found(found.start("first"), rest.end() if rest else found.end())

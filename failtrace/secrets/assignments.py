"""Secrets that only their name gives away, inside texts: `password: x`, `api_key=x`, `--token x`, `'secret': 'x'`.

Logs, reprs, source lines of tracebacks, headers, JSON and connection strings all write a name, a separator and a value.
The name is judged by `names`; the value must not be code (`None`, `os.environ["X"]`, `get_token()`), prose or a
placeholder. Where the value stands bare, in doubt a value with digits is a secret and a word is not.
"""

import re
from collections.abc import Callable

from failtrace.secrets.judgement import (
    has_digit,
    is_harmless_word,
    is_opaque,
    is_opaque_under,
    is_place,
    is_placeholder,
    says_nothing,
)
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.pydantic_inputs import redact_inputs

_COLOUR = r"(?:\x1b\[[0-9;]{0,8}m)?"
_FIELD = r"(?:Field|Column|mapped_column)"
_KEYED = re.compile(
    rf"""(?:(?<![A-Za-z0-9_.-])|(?<=%26)|(?<=%3F)|(?<=\x1b\[[0-9]m)|(?<=\x1b\[[0-9]{{2}}m)|(?<=\x1b\[[0-9];[0-9]{{2}}m))
    (?P<key>-{{0,2}}(?:(?:[Aa]pi|API|[Aa]ccess|[Ss]ecret|[Pp]rivate|[Aa]uth|[Aa]ccount|[Cc]lient|[Ss]ession|[Rr]efresh
                      |[Cc]onnection|[Ss]igning|[Ee]ncryption)[ ])?[A-Za-z_][A-Za-z0-9_.-]{{0,80}}+)
    (?=(?P<close>\\{{0,3}}["'`]?[\])]?{_COLOUR})
    (?P<sep>[ \t]{{0,4}}:[ ]?[A-Za-z_][\w.\[\] |]{{0,30}}?[ ]{{0,2}}=[ ]{{0,2}}(?=[bruf]{{0,2}}["']|{_FIELD}\()
          | [ \t]{{0,4}}(?:=>|:=|!=|={{1,2}}|:\*{{0,2}}|%3[Dd])
            (?:\n[ \t]{{1,40}}(?=")|(?<=\)=)\(|[ \t]{{0,40}}{_COLOUR})
          | [ \t](?:is|was)[ \t]{{1,2}} | (?<=["']),[ ]?(?=b?["'])))""",
    re.VERBOSE,
)
_FLAG = re.compile(r"(?P<key>--[A-Za-z][A-Za-z0-9-]{0,60})(?P<close>)(?P<sep>[ \t]{1,4})(?=[^\s-])")
_BLOCK = re.compile(
    r"(?m)^[ \t-]{0,40}(?P<key>[A-Za-z_][\w.-]{0,80}):[ ]?[|>][-+]?\n"
    r"(?P<inner>[ \t]{1,40})(?P<value>[^\s][^\n]{0,4096}(?:\n(?P=inner)[^\n]{1,4096}){0,99})"
)
"""A block of YAML; its first line says how far all are indented."""
_NAME_FIELD = r"\b(?:[Nn]ame|NAME|(?:[Pp]arameter)?[Kk]ey|KEY|header|field)"
_VALUE_FIELD = r"(?:(?:[Pp]arameter)?[Vv]alue|VALUE|val)"
_NAMED = r"""["']?[ ]{0,3}[:=][ ]{0,3}["']?(?P<key>[A-Za-z_][\w.-]{0,80})["']?"""
_THE_VALUE = r"""["']?[ ]{0,3}[:=][ ]{0,3}(?:"(?P<value>[^"\n]{3,4096})"|'(?P<quoted>[^'\n]{3,4096})'"""
_NAMED_VALUE = re.compile(
    rf"""{_NAME_FIELD}{_NAMED}[\s,]{{1,20}}["']?{_VALUE_FIELD}{_THE_VALUE}|(?P<bare>[^\s"',<>}}]{{3,4096}}))"""
)
"""`{"name": "DB_PASSWORD", "value": "x"}`, in JSON, YAML, reprs, XML and HTML."""
_VALUE_NAMED = re.compile(rf"""\b{_VALUE_FIELD}{_THE_VALUE})[\s,]{{1,20}}["']?{_NAME_FIELD[2:]}{_NAMED}""")
"""The same with the value first."""
_ELEMENT = re.compile(r"<(?P<key>[A-Za-z_][\w:.-]{0,80})(?:\s[^<>]{0,200})?>(?P<value>[^<>\n]{1,512})</")
_SHOWN = (_ELEMENT, _BLOCK, _NAMED_VALUE, _VALUE_NAMED)
_VALUE_GROUPS = ("value", "quoted", "bare")

_OPENING = re.compile(
    r"[\[(]?(?:(?:SecretStr|SecretBytes|Secret|str|bytes|Field|Column|mapped_column)\((?:default=)?|[bruf]{1,2})?"
    r"(?P<quote>\"\"\"|'''|\\{0,3}[\"'`])"
)
_QUOTED = {
    '"""': re.compile(r'(?:(?!""")[^\\]|\\.){0,8192}+', re.DOTALL),
    "'''": re.compile(r"(?:(?!''')[^\\]|\\.){0,8192}+", re.DOTALL),
    "`": re.compile(r"[^`\n]{0,8192}+"),
    '"': re.compile(r'(?:[^"\\\n]|\\.){0,8192}+'),
    "'": re.compile(r"(?:[^'\\\n]|\\.){0,8192}+"),
}
_QUOTED_IN_TEXT = re.compile(r"[^\n]{0,8192}?(?=\\{1,3}[\"']|\n|\Z)")
_BARE = re.compile(r"(?:[^\s\"'`,;&<>(){}\[\]|\\=]|\\(?![nrt\"'])){1,256}+={0,2}")
_REST_OF_BARE = re.compile(r"[^\s\"'`,;&<>\\]{0,4096}+")
_AUTHORIZATION = re.compile(
    r"(?:[A-Za-z0-9-]{2,20}[ ]{1,4})?(?P<secret>(?P<first>[^\s\"'\\,]{4,4096})[^\"'\r\n\\]{0,4096})"
)
_COOKIES = re.compile(r"(?P<secret>(?P<first>[^\s=;,\"'\\()]{1,128}=[^\s;\"'\\]{1,4096})[^\"'\r\n\\]{0,8192})")
_BRACKET = re.compile(r"[\[\]{}]")
_NOT_SPELLED_OUT = re.compile(
    r"\[\]|\{\}|\{\{|[\[{][A-Za-z_]\w*[\]}]|\{\s*[\"'](?:type|\$ref|\$failtrace|anyOf|description|title)[\"']"
)
"""Nothing, a name in an f-string or an index, a JSON Schema, what is redacted already."""
_QUOTED_INSIDE = re.compile(r"[:,\[{]\s{0,20}(?:\"([^\"\n]{3,4096})\"(?!\s{0,4}:)|'([^'\n]{3,4096})'(?!\s{0,4}:))")
_MAX_BRACKETED, _MAX_BRACKETS = 4096, 20
"""Characters, and levels."""
_MAX_JUDGED = 256
_TRAILING = ".:!?)]}|"
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
_END = re.compile(r"[ \t]*(?:[,;)\]}\"'\r\n]|\\[nr]|\.(?:\s|\Z)|\Z)")


def gate_of(names: str) -> str:
    """What a text must hold for this module to matter; no look-around, so that Rust's regex takes it."""
    same_line = r"[\"'`\])\\]{0,5}(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,4}(?:[:=>!]|(?:is|was) |%3[Dd])|[\"'],"
    next_one = r"(?:\n|\\n)[ \t]|[\"']?[\s,]{1,20}[\"']?(?i-u:parameter)?(?i-u:val)|[\"' ]{0,2}[/}>]|\s[A-Za-z:]{1,12}="
    after = f"(?:{_COLOUR}(?:{same_line})|{next_one})"
    cut_input = r"input_value=[^\n]{1,60}\.\.\."
    return f"{names}{after}|--[A-Za-z0-9-]{{0,40}}?{names}[ \\t]|{cut_input}"


def redact_assignments(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each named secret that is not `kept` replaced by `[redacted:key:…]`, and how many there were."""
    text, count = redact_inputs(text, kept)
    for pattern in (*_SHOWN, _FLAG, _KEYED):
        text, found = _redact_matches(text, pattern, kept)
        count += found
    return text, count


def _redact_matches(text: str, pattern: re.Pattern[str], kept: Callable[[str], bool]) -> tuple[str, int]:
    pieces: list[str] = []
    copied = 0
    for match in pattern.finditer(text):
        if match.start() < copied or (key := _key(text, match)) is None:
            continue
        if (span := _value(text, match, key)) and not kept(text[slice(*span)]):
            # What stood in brackets stays JSON, and Python.
            quote = '"' if text[span[0]] in "[{" else ""
            pieces += text[copied : span[0]], f"{quote}[redacted:{key.rule}]{quote}"
            copied = span[1]
    return "".join((*pieces, text[copied:])), len(pieces) // 2


def _key(text: str, match: re.Match[str]) -> SecretKey | None:
    start, end = match.span("key")
    if text.endswith("redacted:key:", 0, start):
        return None
    if end - start <= 3 and text.startswith("=", end) and text[max(0, start - 1) : start] in ("+", "/"):
        return None  # the end of base64, and its padding
    escaped = start > 0 and text[start - 1] == "\\" and text[start] in "nrt"
    return secret_key(text[start + escaped : end])


def _value(text: str, match: re.Match[str], key: SecretKey) -> tuple[int, int] | None:
    """Where the value of this assignment stands, if it is secret."""
    if match.re in _SHOWN:
        group = next(name for name in _VALUE_GROUPS if match.groupdict().get(name) is not None)
        value = match[group].strip(" \t\n.'\"")
        return match.span(group) if _quoted_is_secret(value, key) else None
    start = match.end("sep")
    if found := _bracketed(text, start, key):
        return found
    opening = _OPENING.match(text, start)
    before = text[match.start("key") - 1 : match.start("key")]
    if opening is None:
        return _header_value(text, match, key) or _bare_value(text, start, match["sep"], key)
    if before in ('"', "'") and not match["close"]:
        return None  # a literal like "Password: " ends here
    quote = opening["quote"]
    body = _QUOTED.get(quote, _QUOTED_IN_TEXT).match(text, opening.end())
    if body is None:
        return None
    value = body.group()
    is_flag = match["key"].startswith("--")
    if "," in match["sep"] and key.doubtful and not is_flag:
        return None
    in_doubt = ("," in match["sep"] and not is_flag) or "(" in opening.group()
    if (in_doubt and not has_digit(value)) or not _quoted_is_secret(value, key):
        return None
    return body.span()


def _quoted_is_secret(value: str, key: SecretKey) -> bool:
    if len(value.strip()) < 3 or value[0] in "),]" or is_placeholder(value):
        return False
    if key.doubtful:
        return is_opaque_under(key.rule, value)
    return not (says_nothing(value) or is_place(value))


def _bracketed(text: str, start: int, key: SecretKey) -> tuple[int, int] | None:
    """What stands between brackets, up to the one that closes them: `passwords=['x', 'y']`, `"credentials": {…}`."""
    if key.doubtful or text[start : start + 1] not in ("[", "{") or _NOT_SPELLED_OUT.match(text, start):
        return None
    depth = 0
    for match in _BRACKET.finditer(text, start, start + _MAX_BRACKETED):
        depth += 1 if match.group() in "[{" else -1
        if depth > _MAX_BRACKETS:
            return None
        if depth == 0:
            inside = text[start + 1 : match.start()]
            values = [value for pair in _QUOTED_INSIDE.findall(text[start : match.end()]) for value in pair if value]
            # Without a quote it is the value itself, as ODBC writes it: `PWD={x}`.
            secret = any(not says_nothing(value) for value in values) or (not values and has_digit(inside))
            return (start, match.end()) if secret else None
    return None


def _header_value(text: str, match: re.Match[str], key: SecretKey) -> tuple[int, int] | None:
    """What follows `Authorization:` or `Cookie:`, up to the end of the line or the closing quote."""
    pattern = {"key:authorization": _AUTHORIZATION, "key:cookie": _COOKIES}.get(key.rule)
    if pattern is None or ":" not in match["sep"]:
        return None
    found = pattern.match(text, match.end("sep"))
    if found is None or (not is_opaque(found["first"]) and "=" not in found["first"]):
        return None
    return found.span("secret")


def _bare_value(text: str, start: int, sep: str, key: SecretKey) -> tuple[int, int] | None:
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    whole = _REST_OF_BARE.match(text, start, start + _MAX_JUDGED)
    value = bare.group()
    if whole and not _NAME.fullmatch(value.rstrip(_TRAILING)):
        value = whole.group()  # no code: brackets belong to it
    value = value.rstrip(_TRAILING)
    if not value or not _bare_is_secret(value, text, start + len(value), sep, key):
        return None
    rest = _REST_OF_BARE.match(text, start)
    return start, start + len(rest.group().rstrip(_TRAILING) if rest else value)


def _bare_is_secret(value: str, text: str, end: int, sep: str, key: SecretKey) -> bool:
    name = _NAME.fullmatch(value)
    is_call = name and text[end : end + 1] in ("(", "[")
    if is_call or says_nothing(value) or is_place(value):
        return False
    if key.doubtful:
        return is_opaque_under(key.rule, value)
    if name is None and secret_key(value):
        return False  # `secret: my-k8s-secret` names another
    if sep.strip() in ("is", "was"):
        return has_digit(value)
    if not _LETTER.search(value):
        return len(value) >= (4 if value.isdigit() else 8)
    if _DIGIT.search(value):
        return len(value) >= 5 and not (name and ("." in value or "_" in value) and secret_key(value))
    if name is None:
        return len(value) >= 4
    return _word_is_secret(value, bool(_END.match(text, end)), sep, key)


def _word_is_secret(word: str, ends_there: bool, sep: str, key: SecretKey) -> bool:
    """A bare word without digits: `password=swordfish` is a secret, `password=user_password` is code."""
    if len(word) < 4 or "_" in word or "." in word or is_harmless_word(word) or secret_key(word):
        return False
    return sep == "=" or (ends_there and key.rule in ("key:password", "key:passwd", "key:passphrase"))

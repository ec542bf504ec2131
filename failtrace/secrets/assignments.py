"""Secrets that only their name gives away, inside texts: `password: x`, `api_key=x`, `--token x`, `'secret': 'x'`.

Logs, reprs, source lines of tracebacks, headers, JSON and connection strings all write a name, a separator and a value.
The name is judged by `names`; the value must not be code (`None`, `os.environ["X"]`, `get_token()`), prose or a
placeholder. Where the value stands bare, in doubt a value with digits is a secret and a word is not.
"""

import re
from collections.abc import Callable

from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.shapes import PLAIN_PATH, has_digit, is_opaque, is_placeholder

_KEYED = re.compile(
    r"""(?:(?<![A-Za-z0-9_.-])|(?<=%26)|(?<=%3F))
    (?P<key>-{0,2}(?:(?:[Aa]pi|API|[Aa]ccess|[Ss]ecret|[Pp]rivate|[Aa]uth|[Aa]ccount|[Cc]lient|[Ss]ession|[Rr]efresh
                      |[Cc]onnection|[Ss]igning|[Ee]ncryption)[ ])?[A-Za-z_][A-Za-z0-9_.-]{0,80}+)
    (?=(?P<close>\\{0,3}["'`]?\]?)
    (?P<sep>[ \t]{0,4}:[ ]?[A-Za-z_][\w.\[\] |]{0,30}?[ ]{0,2}=[ ]{0,2}(?=[bruf]{0,2}["'])
          | [ \t]{0,4}(?:=>|:=|={1,2}|:|%3[Dd])[ \t]{0,8} | [ \t](?:is|was)[ \t]{1,2} | (?<=["']),[ ]?(?=b?["'])))""",
    re.VERBOSE,
)
_FLAG = re.compile(r"(?P<key>--[A-Za-z][A-Za-z0-9-]{0,60})(?P<close>)(?P<sep>[ \t]{1,4})(?=[^\s-])")
_BLOCK = re.compile(
    r"(?m)^[ \t-]{0,40}(?P<key>[A-Za-z_][\w.-]{0,80}):[ ]?[|>][-+]?\n"
    r"(?P<inner>[ \t]{1,40})(?P<value>[^\s][^\n]{0,4096}(?:\n(?P=inner)[^\n]{1,4096}){0,99})"
)
"""A block of YAML; its first line says how far all are indented."""
_INPUT = re.compile(
    r"(?:^|\n|\\n)(?P<key>[A-Za-z_][\w.]{0,120})(?:\n|\\n)[ \t]{1,8}[^\n]{1,500}?"
    r"input_value=(?P<value>[^\n]{3,500}?)(?=, input_type=)"
)
"""What pydantic says of a field that does not fit."""
_NAMED_VALUE = re.compile(
    r"""\b(?:[Nn]ame|[Kk]ey|NAME|KEY)["']?[ ]{0,3}[:=][ ]{0,3}["']?(?P<key>[A-Za-z_][\w.-]{0,80})["']?[\s,]{1,20}
    ["']?(?:[Vv]alue|VALUE)["']?[ ]{0,3}[:=][ ]{0,3}(?:"(?P<value>[^"\n]{3,4096})|'(?P<quoted>[^'\n]{3,4096})
    |(?P<bare>[^\s"',<>}]{3,4096}))""",
    re.VERBOSE,
)
"""`{"name": "DB_PASSWORD", "value": "x"}`, in JSON, YAML, reprs, XML and HTML."""
_ELEMENT = re.compile(r"<(?P<key>[A-Za-z_][\w:.-]{0,80})>(?P<value>[^<>\n]{1,512})</")
_SHOWN = (_ELEMENT, _BLOCK, _INPUT, _NAMED_VALUE)

_OPENING = re.compile(r"\[?(?:(?:SecretStr|SecretBytes|Secret|str|bytes)\(|[bruf]{1,2})?(?P<quote>\\{0,3}[\"'])")
_QUOTED = {
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
_MAX_JUDGED = 256
_TRAILING = ".:!?)]}|"
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
_END = re.compile(r"[ \t]*(?:[,;)\]}\"'\r\n]|\\[nr]|\.(?:\s|\Z)|\Z)")

_HARMLESS_WORDS = """
none null nil true false yes no on off str string int integer float bool boolean bytes object dict any optional
required missing empty invalid incorrect wrong expired rejected unset undefined hidden masked redacted disabled
enabled accepted denied granted basic bearer digest oauth kerberos include omit value text name field type
header prompt file path self this that your mine ours env environ settings config default example args kwargs
data param params input output stdin getpass user username request response key keys split
"""
_NO_SECRETS = frozenset(_HARMLESS_WORDS.split())


def gate_of(names: str) -> str:
    """What a text must hold for this module to matter; no look-around, so that Rust's regex takes it."""
    same_line = r"[\"'`\]\\]{0,5}[ \t]{0,4}(?:[:=>]|(?:is|was) |%3[Dd])|[\"'],"
    next_one = r"(?:\n|\\n)[ \t]|[\"']?[\s,]{1,20}[\"']?(?i-u:value)"
    after = f"(?:{same_line}|{next_one})"
    return f"{names}{after}|--[A-Za-z0-9-]{{0,40}}?{names}[ \\t]"


def redact_assignments(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each named secret that is not `kept` replaced by `[redacted:key:…]`, and how many there were."""
    count = 0
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
            pieces += text[copied : span[0]], f"[redacted:{key.rule}]"
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
        group = match.lastgroup or "value"
        value = match[group].strip(" \t\n'\"")
        said = group == "bare" and value.lower() in _NO_SECRETS
        return match.span(group) if not said and _quoted_is_secret(value, key) else None
    start = match.end("sep")
    opening = _OPENING.match(text, start)
    before = text[match.start("key") - 1 : match.start("key")]
    if opening is None:
        if header := _header_value(text, match, key):
            return header
        return _bare_value(text, start, match["sep"], key)
    if before in ('"', "'") and not match["close"]:
        return None  # a literal like "Password: " ends here
    quote = opening["quote"]
    body = _QUOTED.get(quote, _QUOTED_IN_TEXT).match(text, opening.end())
    if body is None:
        return None
    value = body.group()
    if "," in match["sep"] and key.doubtful:
        return None
    in_doubt = "," in match["sep"] or "(" in opening.group()
    if (in_doubt and not has_digit(value)) or not _quoted_is_secret(value, key):
        return None
    return body.span()


def _quoted_is_secret(value: str, key: SecretKey) -> bool:
    if len(value.strip()) < 3 or value[0] in "),]" or is_placeholder(value):
        return False
    return is_opaque(value) if key.doubtful else True


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
    if is_placeholder(value) or PLAIN_PATH.fullmatch(value) or (name and text[end : end + 1] in ("(", "[")):
        return False
    if key.doubtful:
        return is_opaque(value)
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
    if len(word) < 4 or "_" in word or "." in word or word.lower() in _NO_SECRETS or secret_key(word):
        return False
    return sep == "=" or (ends_there and key.rule in ("key:password", "key:passwd", "key:passphrase"))

"""Secrets that only their name gives away, inside texts: `password: x`, `api_key=x`, `--token x`, `'secret': 'x'`.

Logs, reprs, source lines of tracebacks, headers, JSON and connection strings all write a name, a separator and a value.
The name is judged by `names`, the value by `values` and `bare_values`: it must not be code (`None`,
`os.environ["X"]`, `get_token()`), prose or a placeholder.
"""

import re
from collections.abc import Callable

from failtrace.secrets.bare_values import bare_value
from failtrace.secrets.judgement import has_digit, is_opaque
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.pydantic_inputs import redact_inputs
from failtrace.secrets.values import OPENING, Found, bracketed, header_value, quoted_body, quoted_is_secret

_COLOUR = r"(?:\x1b\[[0-9;]{0,8}m)?"
_FIELD = r"(?:Field|Column|mapped_column)"
_KEYED = re.compile(
    rf"""(?:(?<![A-Za-z0-9_.-])|(?<=%26)|(?<=%3F)|(?<=\x1b\[[0-9]m)|(?<=\x1b\[[0-9]{{2}}m)|(?<=\x1b\[[0-9];[0-9]{{2}}m))
    (?P<key>-{{0,2}}(?:(?:[Aa]pi|API|[Aa]ccess|[Ss]ecret|[Pp]rivate|[Aa]uth|[Aa]ccount|[Cc]lient|[Ss]ession|[Rr]efresh
                      |[Cc]onnection|[Ss]igning|[Ee]ncryption)[ ])?[A-Za-z_][A-Za-z0-9_.-]{{0,80}}+)
    (?=(?P<close>\\{{0,7}}["'`]?[\])]?{_COLOUR})
    (?P<sep>[ \t]{{0,4}}:[ ]?[A-Za-z_][\w.\[\] |]{{0,30}}?[ ]{{0,2}}=[ ]{{0,2}}(?=[bruf]{{0,2}}["']|{_FIELD}\()
          | [ \t]{{0,4}}(?:=>|:=|!=|={{1,2}}|:\*{{0,2}}|%3[Dd])
            (?:\n[ \t]{{1,40}}(?=")|(?<=\)=)\(|[ \t\xa0]{{0,40}}{_COLOUR}(?:(?:!!|&)\w{{1,20}}[ ]{{1,4}})?)
          | [ \t](?:is|was)[ \t]{{1,2}} | (?<=["']),[ \n]{{0,8}}(?=b?\\{{0,7}}["'])))""",
    re.VERBOSE,
)
_FLAG = re.compile(r"(?P<key>--[A-Za-z][A-Za-z0-9-]{0,60})(?P<close>)(?P<sep>[ \t]{1,4})(?=[^\s-])")
_BLOCK = re.compile(
    r"(?m)^[ \t-]{0,40}[\"']?(?P<key>[A-Za-z_][\w.-]{0,80})[\"']?:[ ]?[|>][-+0-9]{0,2}[ \t]{0,4}(?:#[^\n]{0,200})?\r?\n"
    r"(?:[ \t]{0,40}\r?\n)?(?P<inner>[ \t]{1,40})"
    r"(?P<value>[^\s][^\n]*+(?:\n(?:\r?\n)?(?P=inner)[^\n]++)*+)"
)
"""A block of YAML; its first line says how far all are indented."""
_NAME_FIELD = r"\b(?:[Nn]ame|NAME|(?:[Pp]arameter)?[Kk]ey|KEY|header|field)"
_VALUE_FIELD = r"(?:(?:[Pp]arameter)?[Vv]alue|VALUE|val)"
_QUOTE = r"""(?:\\{0,7}["'])?"""
_IN_QUOTES = r"""(?:[^\\\n{0}]|\\(?!\\{{0,6}}{0})){{3,}}+"""
_NAMED = rf"""{_QUOTE}[ ]{{0,3}}[:=][ ]{{0,3}}{_QUOTE}(?P<key>[A-Za-z_][\w.-]{{0,80}}){_QUOTE}"""
_THE_VALUE = (
    rf"""{_QUOTE}[ ]{{0,3}}[:=][ ]{{0,3}}\\{{0,7}}(?:"(?P<value>{_IN_QUOTES.format('"')})\\{{0,7}}\""""
    rf"""|'(?P<quoted>{_IN_QUOTES.format("'")})\\{{0,7}}'"""
)
_ATTRIBUTES = r"""(?:[a-z-]{1,20}=["'][^"'<>\n]{0,80}["'][ ]{1,4}){0,4}"""
_NAMED_VALUE = re.compile(
    rf"""{_NAME_FIELD}{_NAMED}[\s,]{{1,20}}{_ATTRIBUTES}{_QUOTE}{_VALUE_FIELD}{_THE_VALUE}|(?P<bare>[^\s"',<>}}]{{3,}}+))"""
)
"""`{"name": "DB_PASSWORD", "value": "x"}`, in JSON, YAML, reprs, XML and HTML."""
_VALUE_NAMED = re.compile(rf"""\b{_VALUE_FIELD}{_THE_VALUE})[\s,]{{1,20}}{_QUOTE}{_NAME_FIELD[2:]}{_NAMED}""")
"""The same with the value first."""
_PART = re.compile(
    r"""name=\\{0,7}"(?P<key>[A-Za-z_][\w.-]{0,80})\\{0,7}"(?:\r?\n|\\{1,8}r\\{1,8}n){2}(?P<value>[^\r\n\\]{3,}+)"""
)
"""A field of a form, as multipart/form-data has it."""
_ELEMENT = re.compile(
    r"<(?P<key>[A-Za-z_][\w:.-]{0,80})(?:\s[^<>]{0,200})?>\s{0,40}+"
    r"(?:<!\[CDATA\[(?P<quoted>[^\]\n]{1,2048}+)\]\]>|(?P<value>[^<>\n]++))\s{0,40}+</"
)
_BELOW = re.compile(
    r"(?m)^[ \t-]{0,40}[\"']?(?P<key>[A-Za-z_][\w.-]{0,80})[\"']?:[ \t]{0,4}(?:#[^\n]{0,200})?\r?\n[ \t]{0,40}"
    r"(?P<value>(?:-[ ]|(?<=[ \t]))[^\s:#-][^\n:]*+(?:\n[ \t]{0,40}-[ ][^\n:]++)*+)$"
)
"""What YAML has in the next line, or in a list below; a line with a colon is a name again."""
_SHOWN = (_ELEMENT, _BLOCK, _BELOW, _PART, _NAMED_VALUE, _VALUE_NAMED)
_VALUE_GROUPS = ("value", "quoted", "bare")
_IN_ARN = re.compile(r"\barn:[a-z0-9:-]{0,80}:\Z")
_MAX_ARN = 90
"""`arn:aws:secretsmanager:eu-west-1:123456789012:secret:db` says where one is."""
_OPENED_BEFORE = re.compile(r"\\{0,7}[\"'`]\Z")
_MAX_QUOTE = 8
_QUOTE_OF_NAME = re.compile(r"\\{0,7}[\"'`]")


def gate_of(names: str) -> str:
    """What a text must hold for this module to matter; no look-around, so that Rust's regex takes it."""
    same_line = r"[\"'`\])\\]{0,9}(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,4}(?:[:=>!]|(?:is|was) |%3[Dd])|\\{0,7}[\"'],"
    next_one = (
        r"(?:\n|\\n)[ \t]|[\\\"']{0,8}[\s,]{1,20}[\\\"']{0,8}(?i-u:parameter)?(?i-u:val)"
        r"|[\"' ]{0,2}[/}>]|[\"']?\s[A-Za-z:-]{1,12}="
    )
    form = r"\\{0,7}\"(?:\r?\n|\\{1,8}r\\{1,8}n){2}"
    after = f"(?:{_COLOUR}(?:{same_line})|{next_one}|{form})"
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
    count = copied = read = 0
    for match in pattern.finditer(text):
        if match.start() < read or (key := _key(text, match)) is None or (found := _value(text, match, key)) is None:
            continue
        start, read, quote = found
        secret = text[start:read]
        if not kept(secret):
            pieces += text[copied:start], f"{quote}[redacted:{key.rule}]{quote}"
            copied = read
            count += 1 - secret.count("[redacted:")  # what stood in it was counted before
    return "".join((*pieces, text[copied:])), count


def _key(text: str, match: re.Match[str]) -> SecretKey | None:
    start, end = match.span("key")
    if text.endswith("redacted:key:", 0, start):
        return None
    if end - start <= 3 and text.startswith("=", end) and text[max(0, start - 1) : start] in ("+", "/"):
        return None  # the end of base64, and its padding
    if _IN_ARN.search(text, max(0, start - _MAX_ARN), start):
        return None
    escaped = start > 0 and text[start - 1] == "\\" and text[start] in "nrt"
    return secret_key(text[start + escaped : end])


def _value(text: str, match: re.Match[str], key: SecretKey) -> Found | None:
    """Where the value of this assignment stands, if it is secret."""
    if match.re in _SHOWN:
        group = next(name for name in _VALUE_GROUPS if match.groupdict().get(name) is not None)
        value = match[group].strip(" \t\n.'\"-")
        if match.re is _BELOW and not _tells_below(match[group]):
            return None
        return Found(*match.span(group)) if quoted_is_secret(value, key) else None
    start, sep = match.end("sep"), match["sep"]
    quote = _QUOTE_OF_NAME.match(match["close"])
    if found := bracketed(text, start, quote.group() if quote else "", key):
        return found
    if opening := OPENING.match(text, start):
        return _quoted_value(text, match, opening, key)
    header = header_value(text, start, key) if ":" in sep else None
    return header or bare_value(text, start, sep, quote.group() if quote else "", key)


def _tells_below(value: str) -> bool:
    """Whether it is no prose, and no list of names, as stand below such a name too."""
    tells = is_opaque if value.startswith("- ") else has_digit
    return any(tells(line.strip(" \t\r-'\".,;")) for line in value.splitlines())


def _quoted_value(text: str, match: re.Match[str], opening: re.Match[str], key: SecretKey) -> Found | None:
    start = match.start("key")
    before = _OPENED_BEFORE.search(text, max(0, start - _MAX_QUOTE), start)
    if before and before.group() == opening["quote"] and not match["close"]:
        return None  # a literal like "Password: " ends here
    body = quoted_body(text, opening)
    value = text[body.start : body.end]
    is_listed = "," in match["sep"] and not match["key"].startswith("--")
    if is_listed and key.doubtful:
        return None
    is_closing = not match["close"] and value[:1] in ("]", ")", ",")  # `print("The password: "), …`
    in_doubt = is_listed or is_closing or "(" in opening.group()
    if (in_doubt and not has_digit(value)) or not quoted_is_secret(value, key):
        return None
    return body

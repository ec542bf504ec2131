"""Secrets that only their name gives away, inside texts: `password: x`, `api_key=x`, `--token x`, `'secret': 'x'`.

Logs, reprs, source lines of tracebacks, headers, JSON and connection strings all write a name, a separator and a value.
The name is judged by `names`, the value by `values` and `bare_values`: it must not be code (`None`,
`os.environ["X"]`, `get_token()`), prose or a placeholder.
"""

import re
from collections.abc import Callable, Iterator

from failtrace.secrets.bare_values import bare_value
from failtrace.secrets.escaped_lines import with_lines
from failtrace.secrets.judgement import has_digit
from failtrace.secrets.layouts import BLOCK, INSIDE, value_in
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.pydantic_inputs import redact_inputs
from failtrace.secrets.replacing import replaced
from failtrace.secrets.sql import GATE as STATEMENT
from failtrace.secrets.sql import redact_statements
from failtrace.secrets.tables import GATE_BEHIND_NAME as IN_A_HEAD
from failtrace.secrets.tables import redact_tables
from failtrace.secrets.values import ENTITY, OPENING, Found, bracketed, header_value, quoted_body, quoted_is_secret

_COLOUR = r"(?:(?:\x1b|\\{1,7}(?:x1b|u001b|033|e))\[[0-9;]{0,8}m)?"
_LINE_END = r"(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)"
_SPACE = r"(?:[ \t\xa0]|\\{1,7}(?:xa0|u00a0))"
_FIELD = r"(?:Field|Column|mapped_column)"
_ANNOTATED = rf"""
    [ \t]{{0,4}}:[ ]?(?:&(?:'static[ ])?)?[A-Za-z_][\w.\[\] |]{{0,30}}?
    [ ]{{0,2}}=[ ]{{0,2}}(?=[bruf]{{0,2}}\\{{0,7}}["']|{_FIELD}\()"""
_ASSIGNED = rf"""
    [ \t]{{0,40}}(?:=>|:=|!=|={{1,2}}|:\*{{0,2}}|%3[Dd])
    (?:{_LINE_END}[ \t]{{1,40}}(?:string\([0-9]{{1,7}}\)[ ])?(?=\\{{0,7}}"(?!"")) | (?<=\)=)\(
      | (?<=["'][:])(?:{_LINE_END}[ \t]{{0,40}}){{1,4}}(?=\\{{0,7}}["'](?!""))
      | {_SPACE}{{0,40}}{_COLOUR}(?:(?:!!|&)\w{{1,20}}[ ]{{1,4}})?)"""
_SAID = r"""[ \t](?:is|was)[ \t]{1,2} | [ ]for[ ][\w.@'"+-]{1,80}:[ ]{1,2}"""
_LISTED = r"""(?<=["'])(?:,(?:[ \n]|\\{1,7}n){0,8}(?=b?\\{0,7}["']) | ;s:[0-9]{1,7}:(?=\\{0,7}"))"""
"""In a list of arguments, and as PHP's `serialize` writes an array."""
_KEYED = re.compile(
    rf"""(?:(?<![A-Za-z0-9_.-])|(?<=%26)|(?<=%3F)|(?<=\[[0-9]m)|(?<=\[[0-9]{{2}}m)|(?<=\[[0-9];[0-9]{{2}}m))
    (?P<key>-{{0,2}}(?:(?:[Aa]pi|API|[Aa]ccess|[Ss]ecret|[Pp]rivate|[Aa]uth|[Aa]ccount|[Cc]lient|[Ss]ession|[Rr]efresh
                      |[Cc]onnection|[Ss]igning|[Ee]ncryption)[ ])?[A-Za-z_][A-Za-z0-9_.-]{{0,80}}+)
    (?=(?P<close>(?:\\{{0,7}}["'`]|{ENTITY}|\*\*|__)?[\])]?{_COLOUR})
       (?P<sep>{_ANNOTATED}|{_ASSIGNED}|{_SAID}|{_LISTED}))""",
    re.VERBOSE,
)
_NAME_ENDS = re.compile(r"""\\{0,7}["']\s{0,4}:""")
_FLAG = re.compile(r"(?P<key>--[A-Za-z][A-Za-z0-9-]{0,60})(?P<close>)(?P<sep>[ \t]{1,4})(?=[^\s-])")
_IN_ARN = re.compile(r"\barn:[a-z0-9:-]{0,80}:\Z")
_MAX_ARN = 90
"""`arn:aws:secretsmanager:eu-west-1:123456789012:secret:db` says where one is."""
_OPENED_BEFORE = re.compile(rf"(?:\\{{0,7}}[\"'`]|{ENTITY})\Z")
_MAX_QUOTE = 8
_QUOTE_OF_NAME = re.compile(rf"\\{{0,7}}[\"'`]|{ENTITY}")


def gate_of(names: str) -> str:
    """What a text must hold for this module to matter; no look-around, so that Rust's regex takes it."""
    same_line = (
        rf"(?:{ENTITY}|[\"'`\])\\]{{0,9}})(?:\*\*|__)?{_COLOUR}[ \t]{{0,40}}(?:[:=>!]|(?:is|was|for) |%3[Dd])"
        r"|\\{0,7}[\"'][,;]"
    )
    next_one = (
        r"(?:\n|\\n)[ \t]|[\\\"']{0,8}[\s,]{1,20}[\\\"']{0,8}(?i-u:parameter)?(?i-u:val)"
        r"|[\"'\\ ]{0,9}[</}>]|[\"'\\]{1,8},?\s{0,20}[\])],|[\"'\\]{0,9}\s[A-Za-z:-]{1,12}="
    )
    form = r"\\{0,7}\"(?:\r?\n|\\{1,8}r\\{1,8}n){2}"
    after = f"(?:{_COLOUR}(?:{same_line})|{next_one}|{form}|{IN_A_HEAD})"
    cut_input = r"input_value=[^\n]{1,60}\.\.\."
    return f"{names}{after}|--[A-Za-z0-9-]{{0,40}}?{names}[ \\t]|{cut_input}|{STATEMENT}"


def redact_assignments(text: str, kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each named secret that is not `kept` replaced by `[redacted:key:…]`, and how many there were."""
    count = 0
    for elsewhere in (redact_inputs, redact_statements, redact_tables):
        text, found = elsewhere(text, kept)
        count += found
    for pattern in (BLOCK, *INSIDE):
        text, found = replaced(text, _laid_out(text if pattern is BLOCK else with_lines(text), pattern), kept)
        count += found
    for pattern in (_FLAG, _KEYED):
        text, found = _redact_matches(text, pattern, kept)
        count += found
    return text, count


def _laid_out(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Where what this layout shows is secret, and by which rule."""
    for match in pattern.finditer(text):
        if (key := _key(text, match)) and (span := value_in(match, key)):
            yield *span, key.rule


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
    if text.startswith(":?", end) and text[max(0, start - 1) : start] == "{":
        return None  # a shell's `${PASSWORD:?must be set}`
    if _IN_ARN.search(text, max(0, start - _MAX_ARN), start):
        return None
    escaped = start > 0 and text[start - 1] == "\\" and text[start] in "nrt"
    return secret_key(text[start + escaped : end])


def _value(text: str, match: re.Match[str], key: SecretKey) -> Found | None:
    """Where the value of this assignment stands, if it is secret."""
    start, sep = match.end("sep"), match["sep"]
    quote = _QUOTE_OF_NAME.match(match["close"])
    if found := bracketed(text, start, quote.group() if quote else "", key):
        return found
    if opening := OPENING.match(text, start):
        return _quoted_value(text, match, opening, key)
    header = header_value(text, start, key) if ":" in sep else None
    return header or bare_value(text, start, sep, quote.group() if quote else "", key)


def _quoted_value(text: str, match: re.Match[str], opening: re.Match[str], key: SecretKey) -> Found | None:
    start = match.start("key")
    before = _OPENED_BEFORE.search(text, max(0, start - _MAX_QUOTE), start)
    if before and before.group() == opening["quote"] and not match["close"]:
        return None  # a literal like "Password: " ends here
    body = quoted_body(text, opening)
    value = text[body.start : body.end]
    is_listed = "," in match["sep"] and not match["key"].startswith("--")
    if is_listed and (key.doubtful or _NAME_ENDS.match(text, body.end)):
        return None  # what follows is the name of another
    is_closing = not match["close"] and value[:1] in ("]", ")", ",")  # `print("The password: "), …`
    in_doubt = is_listed or is_closing or "(" in opening.group()
    if (in_doubt and not has_digit(value)) or not quoted_is_secret(value, key):
        return None
    return body

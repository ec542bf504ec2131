"""A user's own names of secrets inside texts: what stands after one goes, whatever it looks like.

The built-in names ask whether a value reads like a secret; a user who names `iban` means every value.
"""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

from failtrace.secrets.enclosed import closing_bracket
from failtrace.secrets.judgement import is_placeholder
from failtrace.secrets.names import SecretKey, secret_key, words_of
from failtrace.secrets.values import OPENING, Found, quoted_body

_APOSTROPHE = r"(?<=\w)'(?=\w)"
_NEXT_NAME = r",\s{0,4}[\"']?[A-Za-z_][\w.-]{0,80}[\"']?\s{0,4}[=:]"
_BARE = re.compile(rf"(?:[^\n\r;&<\"',\\]|{_APOSTROPHE}|(?!{_NEXT_NAME}),|\\(?![nr\"']))++")
"""To the end of the line, of what quotes it, of a query's parameter or an element; a comma may belong to it."""
_NOTHING_BEHIND = re.compile(r"[ \t]*(?:[|>][-+]?[ \t]*)?(?=\n)")
_TELLS = re.compile(r"\w")
_MAX_INDENT = 80


def own_key_pattern(keys: Sequence[str]) -> re.Pattern[str] | None:
    """Finds an assignment to what may be one of these names, however it is spelled; None where there are none."""
    if not keys:
        return None
    names = "|".join("[ _.-]?".join(words_of(key)) for key in sorted(keys, key=len, reverse=True))
    return re.compile(
        rf"""(?<![A-Za-z0-9])(?<!redacted:key:)(?P<key>(?:[A-Za-z][\w.-]{{0,60}})??(?:{names})(?:[_.-]?[A-Za-z0-9]{{1,12}}){{0,2}})
        (?P<quote>\\{{0,7}}["'`])?[\])]?
        [ \t]{{0,4}}(?::=|=>|={{1,2}}|:)[ \t]{{0,40}}(?:\n[ \t]{{1,40}}(?=["'\[{{]))?""",
        re.VERBOSE | re.IGNORECASE,
    )


def redact_own_keys(text: str, pattern: re.Pattern[str], kept: Callable[[str], bool]) -> tuple[str, int]:
    """The text with each value that is not `kept` replaced by `[redacted:key:…]`, and how many there were."""
    pieces: list[str] = []
    count = copied = read = 0
    matches = list(pattern.finditer(text))
    for match, following in zip_longest(matches, matches[1:]):
        key = None if match.start() < read else _own_key(text, match)
        if key is None:
            continue
        start, read, quote = _value(text, match, following.start() if following else len(text))
        value = text[start:read]
        if not _TELLS.search(value) or is_placeholder(value) or kept(value):
            continue
        pieces += text[copied:start], f"{quote}[redacted:{key.rule}]{quote}"
        copied = read
        count += 1 - value.count("[redacted:")  # what stood in it was counted before
    return "".join((*pieces, text[copied:])), count


def _own_key(text: str, match: re.Match[str]) -> SecretKey | None:
    """Why it is a name of the user's, if it is one and not kept."""
    start, end = match.span("key")
    escaped = start > 0 and text[start - 1] == "\\" and text[start] in "nrt"
    key = secret_key(text[start + escaped : end])
    return key if key is not None and key.own else None


def _value(text: str, match: re.Match[str], limit: int) -> Found:
    """Where the value stands: in quotes, in brackets, in the lines below, or bare, up to the next name at most."""
    start = match.end()
    if opening := OPENING.match(text, start):
        return _quoted(text, opening)
    is_marker = text.startswith("[redacted:", start)
    if text[start : start + 1] in ("[", "{") and not is_marker and (end := closing_bracket(text, start)):
        return Found(start, end, match["quote"] or "")
    if (nothing := _NOTHING_BEHIND.match(text, start)) and (block := _block(text, match.start(), nothing.end())):
        return block
    bare = _BARE.match(text, start, limit)
    value = bare.group() if bare and not text.startswith("[redacted:key:", start) else ""
    closing = "".join(pair[1] for pair in ("()", "[]", "{}") if pair[0] not in value)
    return Found(start, start + len(value.rstrip(f" \t,.{closing}")), match["quote"] or "")


def _quoted(text: str, opening: re.Match[str]) -> Found:
    """Up to the quote that closes it; a doubled one, as YAML and SQL write it, does not."""
    body = quoted_body(text, opening)
    start, end = body.start, body.end
    doubled = re.compile(rf"{opening['quote']}{{2}}[^\n{opening['quote']}]*+") if len(opening["quote"]) == 1 else None
    while end > start and doubled and (more := doubled.match(text, end)):
        end = more.end()
    return Found(start, end)


def _block(text: str, name: int, end: int) -> Found | None:
    """The lines below that are indented deeper than that of the name, or are items of its list."""
    begin = text.rfind("\n", max(0, name - _MAX_INDENT), name) + 1
    before = text[begin:name]
    if before.strip(" \t-\"'") or len(before) > _MAX_INDENT:
        return None
    indent = len(before.rstrip("\"'"))
    lines = re.compile(rf"(?:\n(?:[ \t]{{{indent + 1},}}[^\n]+|[ \t]{{{indent}}}- [^\n]+|[ \t]*(?=\n)))++")
    found = lines.match(text, end)
    if found is None or not (told := found.group().strip()):
        return None
    start = found.start() + found.group().index(told)
    return Found(start, start + len(told))

"""Values that stand bare behind the name of a secret: `password=hunter2`, where code, prose and numbers stand too.

In doubt a value with digits is a secret and a word is not.
"""

import re

from failtrace.secrets.judgement import (
    has_digit,
    is_harmless_word,
    is_opaque_under,
    is_place,
    is_placeholder,
    says_nothing,
)
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.values import Found

_MAX_JUDGED = 128
"""Characters by which a value is judged."""
_BARE = re.compile(r"(?:[^\s\x1b\"'`,;&<>(){}\[\]|\\=]|\\(?![nrt\"'])){1,128}+={0,2}")
_REST_OF_BARE = re.compile(r"[^\s\x1b\"'`,;&<>\\]*+")
_REST_WITH_PARTS = re.compile(
    r"(?:[^\s\x1b\"'`,;&<>\\]|&(?![A-Za-z_%#])|,(?=[A-Za-z0-9@#$!%^*_-])(?![A-Za-z_][\w.-]{0,80}[ ]?[=:]))*+"
)
"""A comma or an ampersand belongs to it where no name follows: `P@ss,w0rd`."""
_REFERENCE = re.compile(r"\$\([^()\n]{1,80}\)|[$#]\{[^{}\n]{1,80}\}")
"""`$(pass show db)`, `${PASSWORD:?must be set}`, `#{password}`."""
_IN_PARENTHESES = re.compile(r"\((?=[^\s()\"'`,]{4,128}\))(?=[A-Za-z]*[0-9])")
_VARIABLE = re.compile(r"(?:^|\\n)(?:export )?(?P<name>[A-Z][A-Z0-9_]{2,80})=\Z", re.MULTILINE)
_MAX_VARIABLE = 200
_ALONE = re.compile(
    r"(?:^|\\n|\")[ \t+-]{0,40}(?:export )?[A-Za-z_][\w.-]{2,80}[ \t]{0,40}[=:][ \t]{0,40}\Z", re.MULTILINE
)
_LINE = re.compile(
    r"(?![\"'`$({\[]|[A-Za-z_][\w.]{0,80}[(\[{])(?:[^\s\\\"\x1b]|\\(?!\\{0,6}[nrt\"']))+(?<![,;{(\[])"
    r"(?=[ \t]*(?:\r?\n|\\{1,7}[nr]|\\{0,7}\"|\Z))"
)
"""A line of one word behind its name, as files of variables, YAML and INI have it: any character may belong to it."""
_FURTHER_WORDS = re.compile(r"(?:[ ](?!#|[A-Za-z_]\w{0,80}=)[^\s\"'`\\;|&<>$()]++)*+")
"""A file of variables has one in a line, so that what follows is of the same value: `correct horse battery staple`."""
_CLOSING = re.compile(r"['`][)\]},:;]*\Z")
"""Where a repr ends of which the line is the last."""
_TRAILING = ".:!?)]}|"
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_ATTRIBUTE = re.compile(r"_?[a-z]+(?:_[a-z]+)*[0-9]{0,2}(?:\._?[a-z]+(?:_[a-z]+)*[0-9]{0,2})+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=\s*[,}\]])")
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
_END = re.compile(r"[ \t]*(?:[,;)\]}\"'\r\n]|\\{1,7}[nr]|\.(?:\s|\Z)|\Z)")


def bare_value(text: str, start: int, sep: str, quote: str, key: SecretKey) -> Found | None:
    """The value that stands there without quotes, if it is secret; `quote` is that of its name, if any."""
    if _REFERENCE.match(text, start):
        return None
    if parenthesis := _IN_PARENTHESES.match(text, start):
        start = parenthesis.end()
    if not key.doubtful and (line := _alone(text, start)):
        return line
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    run = _REST_OF_BARE if key.doubtful else _REST_WITH_PARTS
    whole = run.match(text, start, start + _MAX_JUDGED)
    value = bare.group()
    if whole and not _NAME.fullmatch(value.rstrip(_TRAILING)):
        value = whole.group()  # no code: brackets belong to it
    is_named_elsewhere = is_placeholder(value)
    value = value.rstrip(_TRAILING)
    if not value or is_named_elsewhere or not _is_secret(value, text, start + len(value), sep, quote, key):
        return None
    rest = run.match(text, start)
    end = start + len(rest.group().rstrip(_TRAILING) if rest else value)
    is_variable = sep == "=" and not key.doubtful and _VARIABLE.search(text, max(0, start - _MAX_VARIABLE), start)
    further = _FURTHER_WORDS.match(text, end) if is_variable else None
    return Found(start, further.end() if further else end, quote if _NUMBER.match(text, start) else "")


def _alone(text: str, start: int) -> Found | None:
    """All that stands behind the name up to the end of the line, where it is one word and surely secret."""
    line = _LINE.match(text, start) if _ALONE.search(text, max(0, start - _MAX_VARIABLE), start) else None
    value = _CLOSING.sub("", line.group()) if line else ""
    if line is None or not has_digit(value) or is_placeholder(value) or says_nothing(value) or is_place(value):
        return None
    return None if _NAME.fullmatch(value) or secret_key(value) else Found(start, start + len(value))


def _is_secret(value: str, text: str, end: int, sep: str, quote: str, key: SecretKey) -> bool:
    name = _NAME.fullmatch(value)
    is_call = name and text[end : end + 1] in ("(", "[")
    if is_call or says_nothing(value) or is_place(value):
        return False
    if name and _is_code(value, sep, quote):
        return False
    if key.doubtful:
        return is_opaque_under(key.rule, value)
    if name is None and secret_key(value):
        return False  # `secret: my-k8s-secret` names another
    if sep.strip() in ("is", "was") or sep.startswith(" for "):
        return has_digit(value)
    if not _LETTER.search(value):
        return len(value) >= (4 if value.isdigit() else 8)
    if _DIGIT.search(value):
        return len(value) >= 5
    if name is None:
        return len(value) >= 4
    return _word_is_secret(value, bool(_END.match(text, end)), sep, key)


def _is_code(name: str, sep: str, quote: str) -> bool:
    """Whether a name with digits refers to another: `self._token2`, `random_password.db1.result`."""
    if not _DIGIT.search(name):
        return False
    is_assigned = sep == " = "
    if is_assigned and _ATTRIBUTE.fullmatch(name):
        return True
    return ("." in name or "_" in name or is_assigned or quote != "") and secret_key(name) is not None


def _word_is_secret(word: str, ends_there: bool, sep: str, key: SecretKey) -> bool:
    """A bare word without digits: `password=swordfish` is a secret, `password=user_password` is code."""
    if len(word) < 4 or "_" in word or "." in word or is_harmless_word(word) or secret_key(word):
        return False
    return sep == "=" or (ends_there and key.rule in ("key:password", "key:passwd", "key:passphrase"))

"""Whether a text reads like a secret, or like a word, a path, a placeholder, a sentence about one."""

import base64
import re

_PLACEHOLDER = re.compile(
    r"""(?:(?:bearer|basic|token)\s+)?(?:
        \{\{.{1,80}\}\} | (?:\{[0-9]{0,2}\}[:./\s-]?){1,6}
      | \$?\{[A-Za-z_][\w.\[\]-]{0,60}(?::[-?=+][^{}]{0,40})?\} | \$\([^()]{1,80}\)
      | \$[A-Z_][A-Z0-9_]* | \$[0-9]{1,3}(?:::\w{1,40})? | %\w+% | %\(\w+\)s | %s | \?{1,3}
      | [:@][A-Za-z_]\w{0,60} | ![A-Za-z]\w{0,30}(?:\s\|)?
      | <[A-Za-z][A-Za-z _.:-]{0,60}> | [*•]+ | x{3,} | \.{2,} | … | -+ | \[[a-z]+(?::[\w:.-]{1,60})?\]
      | bearer | basic | digest | token | none | null | nil | true | false | undefined | empty | unset
      | changeme | your[_-][\w-]{1,40} | [\w.-]{0,8}\*{3,}[\w.-]{0,8}
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BY_NAME = re.compile(r"\$[A-Z_]|[@:!<]|\[(?!redacted:)|your[_-]", re.IGNORECASE)
_OPAQUE = re.compile(r"\S{6,}")
_DIGIT = re.compile(r"[0-9]")
_DIGIT_AND_LETTER = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])\S+\Z")
_LETTER = re.compile(r"[A-Za-z]")
_WORD_WITH_NUMBER = re.compile(r"[A-Za-z]{1,15}(?:_[A-Za-z]{1,15}){0,2}[-_ ]?[0-9]{1,2}")
_CAMEL_CASE = re.compile(r"[a-z]*(?:[A-Z]{1,6}[a-z]{2,20})+")
_MEMBER = re.compile(r"[A-Z][A-Za-z]{1,30}\.[A-Z][A-Z_]{1,30}[0-9]{0,2}")
_COLOUR = re.compile(r"\#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ][\d:.+Z-]{0,40})?")
_SCHEME = re.compile(r"(?:basic|bearer|token|digest|apikey|negotiate)\s+(?=\S+\Z)", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^@\s]*")
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[A-Za-z_.-]{2,}[0-9]{0,2})+(?:/|(?<=[0-9])\.[a-z]{2,5})?")
_RESOURCE = re.compile(r"[a-z][a-z-]{0,40}(?:/(?:[a-z][a-z_-]{0,40}|[0-9]{1,20})){2,12}")
_FILE = re.compile(r"(?:[\w-]{1,60}/){1,10}[\w-]{1,60}\.[a-z0-9]{1,5}")
_ALGORITHM = re.compile(
    r"(?:aes|rsa|dsa|ecdsa|es|rs|hs|ps|sha|ed|hmac|md|chacha|a)[_-]?(?:sha)?[_-]?\d{1,5}(?:[_-]?[a-z]{2,4})?",
    re.IGNORECASE,
)
_SQL_TYPE = re.compile(r"(?:var|n|nvar)?char(?:acter)?\s?\(\d+\)|varbinary\(\d+\)", re.IGNORECASE)
_TYPE = re.compile(
    r"(?:(?:optional|list|sequence|set|tuple|secret|field)\[){0,3}"
    r"(?:str|string|secretstr|bytes|int|[a-z]{0,40}credentials?)\]{0,3}"
    r"(?:\s?\|\s?(?:none|null|undefined))?\??",
    re.IGNORECASE,
)
_SHORTEST = 7
_NUMBERED_WORDS = re.compile(r"(?:[A-Za-z]+|[0-9]{1,6})(?:[-_.:/](?:[A-Za-z]+|[0-9]{1,6}))+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORDS = re.compile(r"[A-Za-z']+")

_GRAMMAR_WORDS = """
must should cannot can't may is are was be has have not at than this that the a an of to too please ensure
don't doesn't isn't use
"""
_ABOUT_WORDS = """
password passwords passphrase key keys token tokens secret secrets credentials value values field character characters
letter letters digit digits symbol required empty blank valid invalid missing short long least string expired incorrect
wrong null none common match matches format provided configured set unknown
"""
_MEASURE_WORDS = """
character characters letter letters digit digits symbol symbols byte bytes long short length least most minimum maximum
"""
_MEASURES = frozenset(_MEASURE_WORDS.split())
_PASSWORDS = frozenset(["key:password", "key:passwords", "key:passwd", "key:passphrase", "key:passcode", "key:pw"])
_GRAMMAR, _ABOUT = frozenset(_GRAMMAR_WORDS.split()), frozenset(_ABOUT_WORDS.split())


_HARMLESS_WORDS = """
none null nil true false yes no on off str string int integer float bool boolean bytes object dict any optional
required missing empty invalid incorrect wrong expired rejected unset undefined hidden masked redacted disabled
enabled accepted denied granted basic bearer digest oauth kerberos include omit value text name field type
header prompt file path self this that your mine ours env environ settings config default example args kwargs
data param params input output stdin getpass user username request response key keys split same-origin
"""
_HARMLESS = frozenset(_HARMLESS_WORDS.split())
_CODE = re.compile(r"[a-z]{2,12}(?:[_.:-](?:[a-z]{2,12}|[0-9]{1,4})){1,5}")
_ERROR_WORDS = "error type max min extra forbidden weak mismatch unique pattern"
_CODE_WORDS = _GRAMMAR | _ABOUT | _MEASURES | frozenset(_ERROR_WORDS.split())


def is_harmless_word(value: str) -> bool:
    """Whether `value` is a word that stands in code and messages where a secret could: `required`, `None`, `header`."""
    return value.lower() in _HARMLESS


def says_nothing(value: str) -> bool:
    """Whether `value` stands where a secret could, and is none: a placeholder, a sentence, a word, a method's name."""
    is_word = is_harmless_word(value) or is_name_of_method(value)
    return is_word or is_stand_in(value) or is_sentence(value) or is_code_of_error(value)


def is_stand_in(value: str) -> bool:
    """As `is_placeholder`, where surely a secret stands: `!hunter2` begins like one, and has a digit."""
    return is_placeholder(value) and not (_BY_NAME.match(value) and _DIGIT.search(value))


def is_placeholder(value: str) -> bool:
    """Whether `value` stands in for a secret (`***`, `${TOKEN}`, `<password>`, `:password`, `None`, `[redacted:…]`)."""
    return _PLACEHOLDER.fullmatch(value.strip()) is not None


def is_sentence(value: str) -> bool:
    """Whether `value` is a sentence about a secret, as validators write: `This field may not be blank.`"""
    words = {word.lower() for word in _WORDS.findall(value[:500])} if " " in value else set()
    about = _MEASURES if _DIGIT.search(value) else _ABOUT
    return not words.isdisjoint(_GRAMMAR) and not words.isdisjoint(about)


def is_code_of_error(value: str) -> bool:
    """Whether `value` is what validators call an error: `string_too_short`, `min_length_8`."""
    return _CODE.fullmatch(value) is not None and _CODE_WORDS.issuperset(_WORDS.findall(value))


def is_name_of_method(value: str) -> bool:
    """Whether `value` is an algorithm (`AES-256`) or a type (`str | None`): what keys are made with or kept in."""
    return any(name.fullmatch(value) for name in (_ALGORITHM, _SQL_TYPE, _TYPE))


def is_place(value: str) -> bool:
    """Whether `value` is a path of words, or an address without a password and without a token: where something is."""
    if any(place.fullmatch(value) for place in (_PATH, _FILE, _RESOURCE)):
        return True
    return _URL.fullmatch(value) is not None and not is_opaque(value.rstrip("/").rpartition("/")[2].partition("?")[0])


def is_place_under(rule: str, value: str) -> bool:
    """As `is_place`, under a certain name: a password may have slashes, so that only a path from a root says where."""
    return is_place(value) and (not is_password(rule) or value[0] in "/~." or "://" in value)


def is_password(rule: str) -> bool:
    """Whether a rule is that of a name of passwords."""
    return rule in _PASSWORDS


def is_opaque(value: str) -> bool:
    """Whether `value` reads like a credential and not like a word, a number, a date or an address."""
    if scheme := _SCHEME.match(value):
        value = value[scheme.end() :]
    if not _OPAQUE.fullmatch(value) or "://" in value or is_placeholder(value):
        return False
    if _TIME.fullmatch(value) or _COLOUR.fullmatch(value):
        return False
    if not _DIGIT.search(value):
        is_one_case = value in (value.lower(), value.upper())
        return len(value) >= 20 and value.isalnum() and not is_one_case and not _CAMEL_CASE.fullmatch(value)
    return _LETTER.search(value) is not None and not (_WORD_WITH_NUMBER.fullmatch(value) or _MEMBER.fullmatch(value))


def is_opaque_under(rule: str, value: str) -> bool:
    """Whether `value` reads like a credential under a name that also stands for harmless things.

    By a session's UUID, or `run_42_batch_7`, agents join their traces; a `token` of a few characters is one of a text.
    """
    if rule == "key:auth" and is_login_in_base64(value):
        return True  # as docker's config.json has it
    if len(value) < _SHORTEST or not is_opaque(value):
        return False
    return "token" in rule or "auth" in rule or not (_UUID.fullmatch(value) or _NUMBERED_WORDS.fullmatch(value))


def has_digit(value: str) -> bool:
    """Whether `value` is one word of five characters or more with a digit in it: too little for prose to be."""
    return len(value) >= 5 and _DIGIT_AND_LETTER.match(value) is not None


def is_login_in_base64(value: str) -> bool:
    """Whether `value` is `user:password` in base64, as HTTP's Basic scheme has it."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False
    return len(decoded) >= 5 and b":" in decoded and decoded.decode("utf-8", "replace").isprintable()


def is_mixed(value: str) -> bool:
    """Whether a part of `value` between `-`, `_`, `.` and `/` has letters of both cases and digits, or is long hex."""
    return (
        any(
            len(part) >= 8 and not part.islower() and not part.isupper() and _DIGIT.search(part)
            for part in re.split(r"[-_./%]", value)
        )
        or re.search(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{16}", value) is not None
    )

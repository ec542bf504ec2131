"""Whether a value that stands under, or beside, the name of a secret is one."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from failtrace.capture.markers import Mark
from failtrace.secrets.judgement import (
    has_digit,
    is_code_of_error,
    is_opaque_under,
    is_place_under,
    is_placeholder,
    is_sentence,
    says_nothing,
)
from failtrace.secrets.names import SecretKey, secret_key

MAX_JUDGED = 8192
"""Bytes of a bytes object that are looked at."""

SMALL = 1_000
"""Numbers below it count something: `{"secrets": 2}`."""

_SCHEMA_KEYWORDS = """
type title description format pattern minLength maxLength minItems maxItems nullable required writeOnly readOnly anyOf
oneOf allOf $ref additionalProperties items properties enum const default example examples deprecated
"""
_SCHEMA_WORDS = frozenset(_SCHEMA_KEYWORDS.split())
_SCHEMA_TYPES = frozenset(["string", "integer", "number", "boolean", "object", "array", "null"])
_SCHEMA_HEADS = ("$ref", "anyOf", "oneOf", "allOf")


def names_secret(name: object) -> SecretKey | None:
    """Why `name` is the name of a secret: a text, bytes as in ASGI headers, a path of them; all else names none."""
    if type(name) is tuple and name:
        name = name[-1]
    return secret_key(_as_text(name)) if _is_text(name) else None


def names_next(name: object, following: object, *, is_pair: bool) -> SecretKey | None:
    """Why `name`, in a list, names what follows: `["--password", "x"]`, or a pair such as a header `("Cookie", "x")`.

    A pair of words may be a list of names, so the second needs a digit.
    """
    if type(name) is str and name.startswith("--"):
        is_flag = type(following) is str and following.startswith("--")
        return None if is_flag or "=" in name else secret_key(name)
    if not is_pair or not _is_text(following):
        return None
    key = names_secret(name)
    return key if key and (key.doubtful or has_digit(_as_text(following))) else None


MAX_WORDS = 100
"""Words of a command that are looked at."""


class _Flags(NamedTuple):
    """By which flags a command takes a password."""

    apart: tuple[str, ...] = ()
    glued: str = ""
    with_user: bool = False


_LOGIN = _Flags(("-p", "--password"))
_MYSQL = _Flags(glued="-p")
_FLAGS = {
    "curl": _Flags(("-u", "--user"), "-u", with_user=True),
    "docker": _LOGIN,
    "podman": _LOGIN,
    "sshpass": _Flags(("-p",), "-p"),
    "redis-cli": _Flags(("-a",)),
    "mysql": _MYSQL,
    "mysqldump": _MYSQL,
    "mysqladmin": _MYSQL,
    "mariadb": _MYSQL,
}

_NAMES = ("name", "key", "Name", "Key", "ParameterKey", "header", "field")
VALUES = ("value", "Value", "ParameterValue", "val")


def named_value(fields: Mapping[Any, object]) -> tuple[str, SecretKey] | None:
    """Of `{"name": "DB_PASSWORD", "value": "x"}`, as lists of variables and headers have it: the field, and why."""
    for field in VALUES:
        if field in fields:
            for name in _NAMES:
                if name in fields and (key := names_secret(fields[name])) is not None:
                    return field, key
    return None


def in_words_of_command(items: Sequence[object]) -> dict[int, int]:
    """Of an argument list such as `["curl", "-u", "ada:x"]`: which words hold a secret, and from which character on."""
    words = [item if type(item) is str else "" for item in items[:MAX_WORDS]]
    flags = _FLAGS.get(words[0].rpartition("/")[2])
    if flags is None or (flags is _LOGIN and "login" not in words):
        return {}
    found: dict[int, int] = {}
    for index, (word, following) in enumerate(pairwise(words), 1):
        if word in flags.apart and following:
            found[index] = _after_user(following) if flags.with_user else 0
    for index, word in enumerate(words):
        if flags.glued and word.startswith(flags.glued) and len(word) > len(flags.glued):
            found[index] = _after_user(word) if flags.with_user else len(flags.glued)
    return {index: start for index, start in found.items() if not is_placeholder(words[index][start:])}


def _after_user(word: str) -> int:
    return word.index(":") + 1 if ":" in word else len(word)


def is_login(items: Sequence[object]) -> bool:
    """Whether it is a user and a password, as HTTP libraries take them under `auth`."""
    return len(items) == 2 and all(type(item) is str for item in items)


def holds_secret(key: SecretKey, value: Any) -> bool:
    """Whether `value`, under a key that names a secret, is to go.

    Nothing, yes and no, empty values, placeholders and JSON Schemas of a field stay. Under a doubtful name
    (`token`, `auth`, `session`) only opaque texts go, under one of the user's own every text and number.
    """
    kind = type(value)
    if value is None or kind is bool or kind is Mark:
        return False
    if kind is bytes:
        kind, value = str, _as_text(value)
    if key.own and id(kind) not in _CONTAINERS:
        return kind is not str or not (is_placeholder(value) or not value.strip())
    if key.doubtful:
        return kind is str and is_opaque_under(key.rule, value)
    if kind is str:
        return _text_is_secret(key, value)
    if id(kind) in _CONTAINERS:
        return bool(value) and not _is_about(value)
    return not (kind is int and -SMALL < value < SMALL)


def _text_is_secret(key: SecretKey, value: str) -> bool:
    if not value.strip() or says_nothing(value):
        return False
    # `GOOGLE_APPLICATION_CREDENTIALS` and the like say where a secret is; PWD is where a shell stands.
    return not (is_place_under(key.rule, value) or (key.rule == "key:pwd" and value.startswith(("/", "~"))))


def _is_about(value: Any) -> bool:
    """Whether it is a field's JSON Schema, or the sentences of a validator about it."""
    if type(value) is dict:
        return _is_schema(value)
    return (type(value) is list or type(value) is tuple) and all(
        type(item) is str and (is_sentence(item) or is_code_of_error(item)) for item in value
    )


_CONTAINERS = frozenset(map(id, (list, tuple, dict, set, frozenset)))


def _is_text(value: object) -> bool:
    return type(value) is str or type(value) is bytes


def _as_text(value: Any) -> str:
    return value if type(value) is str else value[:MAX_JUDGED].decode("latin-1")


def _is_schema(value: dict[Any, Any]) -> bool:
    keys = list(value)
    if not all(type(key) is str for key in keys) or not _SCHEMA_WORDS.issuperset(keys):
        return False
    kind = value.get("type")
    return (type(kind) is str and kind in _SCHEMA_TYPES) or any(head in value for head in _SCHEMA_HEADS)

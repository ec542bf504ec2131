"""Whether a value that stands under, or beside, the name of a secret is one."""

from collections.abc import Mapping, Sequence
from typing import Any

from failtrace.capture.markers import Mark
from failtrace.secrets.names import SecretKey, secret_key
from failtrace.secrets.shapes import PLAIN_PATH, has_digit, is_opaque, is_placeholder

MAX_JUDGED = 8192
"""Bytes of a bytes object that are looked at."""

_SCHEMA_KEYWORDS = """
type title description format pattern minLength maxLength nullable required writeOnly readOnly anyOf oneOf allOf
$ref additionalProperties items
"""
_SCHEMA_WORDS = frozenset(_SCHEMA_KEYWORDS.split())


def names_secret(name: object) -> SecretKey | None:
    """Why `name` is the name of a secret; it may be bytes, as in ASGI headers, or anything else, which names none."""
    return secret_key(_as_text(name)) if type(name) in (str, bytes) else None


def names_next(name: object, following: object, *, is_pair: bool) -> SecretKey | None:
    """Why `name`, in a list, names what follows: `["--password", "x"]`, or a pair such as a header `("Cookie", "x")`.

    A pair of words may be a list of names, so the second needs a digit.
    """
    if type(name) is str and name.startswith("--"):
        is_flag = type(following) is str and following.startswith("--")
        return None if is_flag or "=" in name else secret_key(name)
    if not is_pair or type(following) not in (str, bytes):
        return None
    key = names_secret(name)
    return key if key and (key.doubtful or has_digit(_as_text(following))) else None


_NAMES, _VALUES = ("name", "key", "Name", "Key"), ("value", "Value")


def named_value(fields: Mapping[Any, object]) -> tuple[str, SecretKey] | None:
    """Of `{"name": "DB_PASSWORD", "value": "x"}`, as lists of variables and headers have it: the field, and why."""
    for field in _VALUES:
        if field in fields:
            for name in _NAMES:
                if name in fields and (key := names_secret(fields[name])) is not None:
                    return field, key
    return None


def is_login(items: Sequence[object]) -> bool:
    """Whether it is a user and a password, as HTTP libraries take them under `auth`."""
    return len(items) == 2 and all(type(item) is str for item in items)


def holds_secret(key: SecretKey, value: Any) -> bool:
    """Whether `value`, under a key that names a secret, is to go.

    Nothing, yes and no, empty values, placeholders and JSON Schemas of a field stay. Under a doubtful name
    (`token`, `auth`, `session`) only opaque texts go.
    """
    kind = type(value)
    if value is None or kind is bool or kind is Mark:
        return False
    if kind is bytes:
        kind, value = str, _as_text(value)
    if key.doubtful:
        return kind is str and is_opaque(value)
    if kind is str:
        return bool(value.strip()) and not is_placeholder(value) and not _is_path(key, value)
    if kind in (list, tuple, dict, set, frozenset):
        return bool(value) and not (kind is dict and _is_schema(value))
    return True


def _is_path(key: SecretKey, value: str) -> bool:
    """`GOOGLE_APPLICATION_CREDENTIALS` and the like say where a secret is; PWD is where a shell stands."""
    return (key.rule == "key:pwd" and value.startswith(("/", "~"))) or PLAIN_PATH.fullmatch(value) is not None


def _as_text(value: Any) -> str:
    return value if type(value) is str else value[:MAX_JUDGED].decode("latin-1")


def _is_schema(value: dict[Any, Any]) -> bool:
    keys = list(value)
    return all(type(key) is str for key in keys) and "type" in keys and _SCHEMA_WORDS.issuperset(keys)

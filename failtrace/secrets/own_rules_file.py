"""The file of a user's own redaction rules, `FAILTRACE_REDACTION`: TOML, checked whole before any of it counts."""

import errno
import re
import stat
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from failtrace.errors import SettingsError
from failtrace.secrets.linear_pattern import LinearPattern, compile_linear
from failtrace.secrets.names import words_of
from failtrace.secrets.own_rules import OwnRules
from failtrace.secrets.shapes import SHAPES

MAX_FILE = 256 * 1024
"""Bytes of the file."""
MAX_PATTERN = 2000
"""Characters of one expression."""
MAX_RULES = 200
"""Entries of each list."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BUILT_IN = frozenset(rule.name for rule in SHAPES)

_Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]], Field(max_length=MAX_RULES)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Keep(_Strict):
    keys: _Texts = []
    values: _Texts = []
    rules: _Texts = []


class _File(_Strict):
    keys: _Texts = []
    patterns: Annotated[
        dict[str, Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]], Field(max_length=MAX_RULES)
    ] = {}
    keep: _Keep = _Keep()


def read_own_rules(path: Path) -> OwnRules:
    """The rules in the file. Raises SettingsError where it cannot be read or one rule in it cannot be used."""
    try:
        told = path.stat()
        if not stat.S_ISREG(told.st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        return _parsed(path, told.st_mtime_ns, told.st_size)
    except OSError as error:
        raise SettingsError(
            f"Cannot read the redaction rules {str(path)!r} that FAILTRACE_REDACTION names: {error.strerror}; "
            "correct the path, or unset it to go on with the built-in rules."
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"Cannot use the redaction rules in {str(path)!r}: {error}; correct the file, or unset FAILTRACE_REDACTION."
        ) from error


@lru_cache(maxsize=8)
def _parsed(path: Path, _written: int, size: int) -> OwnRules:
    if size > MAX_FILE:
        raise ValueError(f"it has {size:,} bytes and may have {MAX_FILE:,}")
    try:
        told = _File.model_validate(tomllib.loads(path.read_bytes().decode()))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}") from error
    for name, pattern in told.patterns.items():
        _check_pattern(name, pattern)
    for key in told.keys:
        if not words_of(key):
            raise ValueError(f"keys: {key!r} has no ASCII letter or digit; write an expression under [patterns]")
    for pattern in told.keep.values:
        _compiled("keep.values", pattern)
    for name in told.keep.rules:
        if name not in _BUILT_IN:
            raise ValueError(f"keep.rules: there is no rule {name!r}, but {', '.join(sorted(_BUILT_IN))}")
    return OwnRules(
        keys=tuple(told.keys),
        patterns=tuple(told.patterns.items()),
        keep_keys=tuple(told.keep.keys),
        keep_values=tuple(told.keep.values),
        keep_rules=tuple(told.keep.rules),
    )


def _check_pattern(name: str, pattern: str) -> None:
    if not _NAME.fullmatch(name) or name in _BUILT_IN or name in ("own_secret", "key"):
        raise ValueError(
            f"patterns: {name!r} is no name for a rule: lower-case letters, digits and _, and none of failtrace's own"
        )
    if _compiled(f"patterns.{name}", pattern).search("") is not None:
        raise ValueError(f"patterns.{name}: {pattern!r} matches an empty text, so it would match everywhere")


def _compiled(place: str, pattern: str) -> LinearPattern:
    try:
        return compile_linear(pattern)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error

"""Redaction of texts: every string that failtrace keeps passes here before it can reach a disk.

One scan by Rust's regex engine (pydantic carries it; 2 µs a kilobyte) decides whether anything in the text could be a
secret. Only then do the rules look closer. What is found is replaced by `[redacted:rule]`; a second pass finds nothing.
"""

import re
from collections.abc import Callable
from functools import cache

from pydantic_core import SchemaValidator, core_schema

from failtrace.capture import secret_assignments
from failtrace.capture.secret_assignments import redact_assignments
from failtrace.capture.secret_keys import is_secret_key
from failtrace.capture.secret_rules import SHAPES, Rule

__all__ = ["SHORTEST_SECRET", "could_name_secret", "gate", "is_secret_key", "look_closer", "prepare", "redact_text"]

SHORTEST_SECRET = 8
"""Characters of the shortest text that any rule can match, such as `pwd=abcd`."""

_GATE_REPEATS = 8
"""A gate need not count to 40: shorter counts keep its automaton small (9 ms to build instead of 19)."""
_MAX_PASSES = 4
"""Two secrets glued together: the second is seen once the first is gone."""
_ESCAPE_BEFORE = re.compile(r"\\[nrtbfv]\Z|%[0-9A-Fa-f]{2}\Z|\\u[0-9a-f]{4}\Z|\x1b\[[0-9;]{0,8}m\Z")


def redact_text(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were found."""
    if len(text) < SHORTEST_SECRET:
        return text, 0
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return look_closer(text) if gate()(text) else (text, 0)


@cache
def gate() -> Callable[[str], bool]:
    """Says whether a text could hold a secret; the text must have no lone surrogates. Built on first use, in 10 ms."""
    return _scan("|".join([*map(_short_gate, SHAPES), secret_assignments.GATE]))


def look_closer(text: str) -> tuple[str, int]:
    """`redact_text` for a text that the gate let through."""
    count = 0
    for _ in range(_MAX_PASSES):
        text, found = _one_pass(text)
        count += found
        if not found:
            break
    return text, count


def _one_pass(text: str) -> tuple[str, int]:
    count = 0
    if _shape_gate()(text):
        for rule, could_match, pattern in _matchers():
            if could_match(text):
                text, found = _apply(rule, pattern, text)
                count += found
    if _assignment_gate()(text):
        text, found = redact_assignments(text)
        count += found
    return text, count


def could_name_secret(text: str) -> bool:
    """Whether the name of a secret may stand in the text, with a value after it."""
    return "\\u" in text or _assignment_gate()(text)


def prepare() -> None:
    """Builds what the first text with a secret would wait for (30 ms): for a process that others are forked from."""
    gate()
    _shape_gate()
    _assignment_gate()
    _matchers()


@cache
def _shape_gate() -> Callable[[str], bool]:
    return _scan("|".join(map(_short_gate, SHAPES)))


@cache
def _assignment_gate() -> Callable[[str], bool]:
    return _scan(secret_assignments.GATE)


def _scan(pattern: str) -> Callable[[str], bool]:
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python


def _short_gate(rule: Rule) -> str:
    return re.sub(r"\{(\d+)(?:,\d*)?\}\Z", lambda count: f"{{{min(int(count[1]), _GATE_REPEATS)}}}", rule.gate)


@cache
def _matchers() -> tuple[tuple[Rule, Callable[[str], bool], re.Pattern[str]], ...]:
    """Each shape with a scan of its own: ten times faster over a text without it than `re` is."""
    return tuple((rule, _scan(_short_gate(rule)), re.compile(rule.pattern or rule.gate)) for rule in SHAPES)


def _apply(rule: Rule, pattern: re.Pattern[str], text: str) -> tuple[str, int]:
    group = "secret" if "secret" in pattern.groupindex else 0
    pieces: list[str] = []
    copied = 0
    for match in pattern.finditer(text):
        start, end = match.span(group)
        if (rule.glued or _starts_there(text, match.start())) and (rule.accept is None or rule.accept(match[group])):
            pieces += text[copied:start], f"[redacted:{rule.name}]"
            copied = end
    if not pieces:
        return text, 0
    return "".join((*pieces, text[copied:])), len(pieces) // 2


def _starts_there(text: str, start: int) -> bool:
    """Whether a token can start here: no letter or digit before it, unless it belongs to an escape sequence."""
    if start == 0 or not text[start - 1].isalnum():
        return True
    return _ESCAPE_BEFORE.search(text[max(0, start - 12) : start]) is not None

"""The rules of one process, the built-in ones and the user's own, as scans and expressions ready for use.

One scan by Rust's regex engine (pydantic carries it; 2 µs a kilobyte) decides whether anything in a text could be a
secret. Only then do the rules look closer. What is found is replaced by `[redacted:rule]`; a second pass finds nothing.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from pydantic_core import SchemaValidator, core_schema

from failtrace.secrets import assignments, names
from failtrace.secrets.assignments import redact_assignments
from failtrace.secrets.linear_pattern import LinearPattern, compile_linear
from failtrace.secrets.literals import Literals
from failtrace.secrets.own_keys import own_key_pattern, redact_own_keys
from failtrace.secrets.own_rules import OwnRules
from failtrace.secrets.replacing import replaced
from failtrace.secrets.shapes import SHAPES, Rule
from failtrace.secrets.wrapped import spans_in_wrapped

Gate = Callable[[str], bool]

_SHORTEST = 8
"""Characters of the shortest text that any built-in rule can match, such as `pwd=abcd`."""
_MAX_PASSES = 4
"""Two secrets glued together: the second is seen once the first is gone."""
_GATE_REPEATS = 8
"""A gate need not count to 40: shorter counts keep its automaton small (9 ms to build instead of 19)."""
_ESCAPE_BEFORE = re.compile(
    r"\\[nrtbfv]\Z|%[0-9A-Fa-f]{2}\Z|\\u[0-9a-f]{4}\Z|(?:\x1b|\\u001b|\\x1b|\\033|\\e)\[[0-9;]{0,8}m\Z"
)
_MAX_BEHIND = 40
_RUN = re.compile(r"[A-Za-z0-9]*+")
_SURROGATE = re.compile(r"\\ud[89a-f][0-9a-f]{2}")
_MARKER = re.compile(r"(\[redacted:[a-z0-9_:]{1,120}\])")


class Redactor:
    """The built-in rules with one set of the user's own. Immutable."""

    def __init__(self, rules: OwnRules) -> None:
        self.rules = rules
        self.anchored = bool(rules.patterns)
        """Whether a text must be looked at by itself: an expression may ask for its start or end."""
        self.shortest = 1 if rules.patterns or rules.keys else min([_SHORTEST, *map(_length, rules.secrets)])
        """Characters of the shortest text that a rule can match."""
        self._all_names, self._all_shapes, built_in = _built_in(rules.keys)
        self._patterns = tuple((name, compile_linear(pattern)) for name, pattern in rules.patterns)
        self._own_keys = own_key_pattern(rules.keys)
        self._keep = tuple(map(compile_linear, rules.keep_values))
        self._secrets = Literals(rules.secrets) if rules.secrets else None
        self.gate: Gate = self._any_gate(built_in)
        """Says whether a text could hold a secret; the text must have no lone surrogates."""

    def _any_gate(self, built_in: Gate) -> Gate:
        own = [pattern.search for _, pattern in self._patterns]
        secrets = self._secrets
        if not own and secrets is None:
            return built_in

        def gate(text: str) -> bool:
            return (
                built_in(text)
                or (secrets is not None and (secrets.are_in(text) or bool(spans_in_wrapped(text, secrets))))
                or any(each(text) for each in own)
            )

        return gate

    def redact(self, text: str) -> tuple[str, int]:
        """The text without its secrets, and how many were found."""
        if len(text) < self.shortest:
            return text, 0
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        return self.look_closer(text) if self.gate(text) else (text, 0)

    def look_closer(self, text: str) -> tuple[str, int]:
        """`redact` for a text that the gate let through."""
        count, before = 0, text
        for _ in range(_MAX_PASSES):
            cleaned, found = self._one_pass(text)
            count += found
            if cleaned == text:
                break
            text = cleaned
        return text, max(count, int(text != before))

    def could_name_secret(self, text: str) -> bool:
        """Whether the name of a secret may stand in the text, with a value after it."""
        return self._all_names(text)

    def is_kept(self, value: str) -> bool:
        """Whether the user wants this value to stay."""
        return any(pattern.fullmatch(value) for pattern in self._keep)

    def _one_pass(self, text: str) -> tuple[str, int]:
        """The text without what each rule finds once, and how many that was."""
        count = 0
        own = self._own_secrets(text)
        if any(names.secret_key(text[start:end]) for start, end in own):
            # What one of the process's own secrets names goes before the name does.
            text, count = redact_assignments(text, self.is_kept)
            own = self._own_secrets(text)
        shapes = self._shapes(text) if self._all_shapes(text) else []
        text, found = _without(text, [*((start, end, "own_secret") for start, end in own), *shapes])
        count += found
        if self._all_names(text):
            if self._own_keys is not None:
                text, found = redact_own_keys(text, self._own_keys, self.is_kept)
                count += found
            text, found = redact_assignments(text, self.is_kept)
            count += found
        for name, linear in self._patterns:
            text, found = self._apply_own(name, linear, text)
            count += found
        return text, count

    def _own_secrets(self, text: str) -> list[tuple[int, int]]:
        """Where the process's own stand, also in base64 over the ends of its lines."""
        secrets = self._secrets
        return [] if secrets is None else [*secrets.spans(text), *spans_in_wrapped(text, secrets)]

    def _shapes(self, text: str) -> list[tuple[int, int, str]]:
        """Where each built-in shape is, and its name."""
        return [
            (start, end, rule.name)
            for rule, could_match, pattern in _matchers()
            if could_match(text) and rule.name not in self.rules.keep_rules
            for start, end in _matches(rule, pattern, text)
            if start < end and not self.is_kept(text[start:end])
        ]

    def _apply_own(self, name: str, linear: LinearPattern, text: str) -> tuple[str, int]:
        """The text between what is redacted already, without the matches of a user's expression."""
        if linear.search(text) is None:
            return text, 0
        group = linear.groupindex.get("secret", 0)
        pieces = _MARKER.split(text)
        count = 0
        for place in range(0, len(pieces), 2):
            spans = [(*match.span(group), name) for match in linear.finditer(pieces[place])]
            pieces[place], found = replaced(pieces[place], spans, self.is_kept)
            count += found
        return "".join(pieces), count


@cache
def _built_in(keys: Sequence[str]) -> tuple[Gate, Gate, Gate]:
    """The scans for names with values, for shapes, and for both."""
    named = assignments.gate_of(names.gate_of(keys))
    shapes = "|".join(map(_short_gate, SHAPES))
    return _scan(named), _scan(shapes), _scan(f"{shapes}|{named}")


def prepare() -> None:
    """Builds what the first text with a secret would wait for."""
    _matchers()


def _length(secret: str) -> int:
    """Characters of the text that holds it: a lone surrogate there is an escape here."""
    return len(_SURROGATE.sub("?", secret))


def _scan(pattern: str) -> Gate:
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python


def _short_gate(rule: Rule) -> str:
    return re.sub(r"\{(\d+)(?:,\d*)?\}\Z", lambda count: f"{{{min(int(count[1]), _GATE_REPEATS)}}}", rule.gate)


@cache
def _matchers() -> tuple[tuple[Rule, Gate, re.Pattern[str]], ...]:
    """Each shape with a scan of its own: ten times faster over a text without it than `re` is."""
    return tuple((rule, _scan(_short_gate(rule)), re.compile(rule.pattern or rule.gate)) for rule in SHAPES)


def _matches(rule: Rule, pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    group: str | int = "secret" if "secret" in pattern.groupindex else 0
    return [
        (match.start(group), _end_of_run(text, match.end(group)))
        for match in pattern.finditer(text)
        if _fits(rule, text, match.start()) and (rule.accept is None or rule.accept(match[group]))
    ]


def _without(text: str, spans: list[tuple[int, int, str]]) -> tuple[str, int]:
    """The text with a marker in place of each stretch of spans that overlap, and how many there were.

    One secret may hold another, or share a part with it: neither leaves a rest. The first that begins gives its name.
    """
    pieces: list[str] = []
    copied = 0
    for start, end, rule in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= copied:
            pieces += text[copied:start], f"[redacted:{rule}]"
        copied = max(copied, end)
    return "".join((*pieces, text[copied:])), len(pieces) // 2


def _fits(rule: Rule, text: str, start: int) -> bool:
    """Whether a match of the rule can start here, after what stands before it."""
    if rule.unless_behind is not None and rule.unless_behind.search(text, max(0, start - _MAX_BEHIND), start):
        return False
    return rule.glued or _starts_there(text, start)


def _end_of_run(text: str, end: int) -> int:
    """Where the letters and digits end that a secret ends with: its rule may have counted to less."""
    run = _RUN.match(text, end) if text[end - 1 : end].isalnum() else None
    return run.end() if run else end


def _starts_there(text: str, start: int) -> bool:
    """Whether a token can start here: no letter or digit before it, unless it belongs to an escape sequence."""
    if start == 0 or not text[start - 1].isalnum():
        return True
    return _ESCAPE_BEFORE.search(text[max(0, start - 16) : start]) is not None

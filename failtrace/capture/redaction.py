"""Redaction of texts: every string that failtrace keeps passes here before it can reach a disk.

The rules in force are those of the process: the built-in ones, the user's own, and the process's own secrets. A host
follows its settings (`follow`, `keep_up`), a subject's process adopts its host's (`adopt`); who does neither, an
application with watched functions, say, gets those of its environment when the first text comes.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from failtrace.capture.own_rules_found import rules_found, rules_of
from failtrace.secrets import names
from failtrace.secrets import redactor as built
from failtrace.secrets.own_rules import UNREADABLE, OwnRules, forget_judgements
from failtrace.secrets.own_secrets import own_secrets
from failtrace.secrets.redactor import Redactor
from failtrace.settings import Settings

__all__ = [
    "adopt",
    "could_name_secret",
    "follow",
    "gate",
    "is_kept",
    "keep_up",
    "learn",
    "look_closer",
    "prepare",
    "redact_sentence",
    "redact_text",
    "redactor",
    "tell_what_is_learnt",
]

MAX_REPLACED = 5000
"""Forms of secrets that the environment held since the start and holds no more: a token may change for ever."""

_adopted: Redactor | None = None
_given = OwnRules()
"""As adopted, before anything came later."""
_later: dict[str, None] = {}
"""Forms of what the environment has come to hold since, the newest last."""
_held: tuple[str, ...] = ()
"""Forms of what it holds now."""
_seen: Mapping[str, str] = {}
"""The environment whose secrets are known."""
_listener: Callable[[Sequence[str]], None] | None = None
_ENVIRONMENT: dict[bytes, bytes] | None = getattr(os.environ, "_data", None)
"""What `os.environ` wraps: compared in 1 us, where asking for its texts takes 20."""
_as_it_was: dict[bytes, bytes] | None = None
_lock = threading.RLock()


def _renew_lock() -> None:
    """A thread of the parent may hold it for ever."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def adopt(rules: OwnRules, environment: Mapping[str, str]) -> None:
    """Redact by these own rules from now on; they hold the secrets of this environment."""
    global _given, _as_it_was, _held
    with _lock:
        _given, _as_it_was, _held = rules, None, ()
        _later.clear()
        _enforce(rules, environment)


def _enforce(rules: OwnRules, environment: Mapping[str, str]) -> None:
    global _adopted, _seen
    if _adopted is None or _adopted.rules != rules:
        adopted = Redactor(rules)
        names.adopt_keys(rules.keys, rules.keep_keys)
        _adopted = adopted
        forget_judgements()
    _seen = environment


def follow(settings: Settings) -> None:
    """Redact by the rules of these settings, and what secrets they and the environment hold."""
    environment = dict(os.environ)
    adopt(rules_of(settings, environment), environment)


def keep_up() -> None:
    """Take in what the environment has come to hold since, by `load_dotenv`, say. Cheap where nothing changed.

    What it held before stays secret, up to MAX_REPLACED forms: a variable may hold a new token every hour.
    """
    global _as_it_was, _held
    if _ENVIRONMENT is not None and _as_it_was == _ENVIRONMENT:
        return
    as_it_is = None if _ENVIRONMENT is None else _ENVIRONMENT.copy()
    try:
        now = dict(os.environ)
    except KeyError:
        return  # another thread takes something out of it; the next call will see
    redactor()
    if now != _seen:
        held = own_secrets((), now)
        with _lock:
            _held = held
            new = _take_in(held, now)
        if new and _listener is not None:
            _listener(new)
    _as_it_was = as_it_is


def learn(forms: Sequence[str]) -> None:
    """Redact these texts too from now on."""
    _take_in(forms, _seen)


def _take_in(forms: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Know these forms as those of secrets from now on, and return those that were not known."""
    with _lock:
        known = {*_given.secrets, *_later}
        for form in forms:
            _later.pop(form, None)
            _later[form] = None
        wanted = {*forms, *_held}
        replaced = [form for form in _later if form not in wanted]
        for form in replaced[: max(0, len(replaced) - MAX_REPLACED)]:
            del _later[form]
        _enforce(replace(_given, secrets=tuple(sorted({*_given.secrets, *_later}))), environment)
    return [form for form in forms if form not in known]


def tell_what_is_learnt(listener: Callable[[Sequence[str]], None]) -> None:
    """Whom to tell the forms that `keep_up` finds: who else redacts what this process says."""
    global _listener
    _listener = listener


def redactor() -> Redactor:
    """The rules in force."""
    if _adopted is None:
        with _lock:
            if _adopted is None:
                environment = dict(os.environ)
                adopt(rules_found(environment), environment)
    return _adopted  # type: ignore[return-value]


def gate() -> Callable[[str], bool]:
    """Says whether a text could hold a secret; the text must have no lone surrogates. Built on first use, in 10 ms."""
    return redactor().gate


def is_kept(value: str) -> bool:
    """Whether the user wants this value to stay."""
    return redactor().is_kept(value)


def redact_text(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were found."""
    return redactor().redact(text)


def look_closer(text: str) -> tuple[str, int]:
    """`redact_text` for a text that the gate let through."""
    return redactor().look_closer(text)


def redact_sentence(sentence: str) -> str:
    """A sentence of failtrace's own, without secrets that it may quote.

    Where the user's rules cannot be read it goes by the built-in ones: it may be the one that says so.
    """
    rules = redactor()
    if rules.rules == UNREADABLE:
        rules = Redactor(OwnRules(secrets=own_secrets((), os.environ)))
    return rules.redact(sentence)[0]


def could_name_secret(text: str) -> bool:
    """Whether the name of a secret may stand in the text, with a value after it."""
    return "\\u" in text or redactor().could_name_secret(text)


def prepare() -> None:
    """Builds what the first text with a secret would wait for (30 ms): for a process that others are forked from."""
    redactor()
    built.prepare()

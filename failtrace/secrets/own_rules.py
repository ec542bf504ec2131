"""What a user adds to redaction and takes from it, as plain data that travels from a host to its processes."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Self, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OwnRules:
    """Rules beside the built-in ones."""

    keys: tuple[str, ...] = ()
    """Names under which everything is secret."""
    patterns: tuple[tuple[str, str], ...] = ()
    """Name and expression (RE2) of what goes wherever it stands; where it has a group `secret`, only that group."""
    keep_keys: tuple[str, ...] = ()
    """Names that are not those of secrets, whatever they look like."""
    keep_values: tuple[str, ...] = ()
    """Expressions (RE2) of values that stay; the whole value must match."""
    keep_rules: tuple[str, ...] = ()
    """Names of built-in shapes that are not looked for."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts that go wherever they stand, in whatever encoding: the process's own keys and passwords."""

    def to_json(self) -> dict[str, Any]:
        """For `from_json` in another process."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """The rules that `to_json` told."""
        pairs = tuple((name, pattern) for name, pattern in told["patterns"])
        return cls(**{each.name: tuple(told[each.name]) for each in fields(cls)} | {"patterns": pairs})


UNREADABLE = OwnRules(patterns=(("rules_unreadable", r"(?s).+"),))
"""Where the user's rules cannot be read and nobody can be asked, every text goes: what they would hide is not known."""

_CACHES: list[Callable[[], None]] = []


def cached_by_rules(maxsize: int) -> Callable[[_F], _F]:
    """As `functools.lru_cache`, forgotten when other rules are adopted."""

    def decorate(function: _F) -> _F:
        cached = lru_cache(maxsize)(function)
        _CACHES.append(cached.cache_clear)
        return cached  # type: ignore[return-value]

    return decorate


def forget_judgements() -> None:
    """Empty every cache of `cached_by_rules`."""
    for clear in _CACHES:
        clear()

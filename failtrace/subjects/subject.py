"""A subject: something runnable under a name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from failtrace.errors import SubjectError
from failtrace.subjects.limits import Limits, check_limits

EvidenceSource = Callable[[Any], Sequence[str]] | Sequence[str]

ATTRIBUTE = "__failtrace_subject__"
"""Where a registered callable keeps its Subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Limits):
    """A callable, sync or async, generator or not, with what failtrace should hold it to."""

    name: str
    function: Callable[..., Any]
    source: str
    """`module:qualname`: where the callable is defined, and how its process finds it."""
    version: str | None = None
    timeout: float | None = None
    """Seconds; None leaves it to the caller and the settings."""
    output_model: Any = None
    """The output contract: a pydantic model, any type pydantic can check, or a JSON Schema as a dict."""
    evidence: EvidenceSource | None = None
    """Texts the output must rest on, or a function of the input that gives them."""
    example_inputs: tuple[Any, ...] = ()
    """What to run it on when nobody says."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def module(self) -> str:
        """The module that holds the callable."""
        return self.source.partition(":")[0]

    @property
    def description(self) -> str:
        """First line of the callable's docstring, empty where it has none."""
        doc = inspect.getdoc(_innermost(self.function)) or ""
        return doc.partition("\n")[0]


def _check(subject: Subject) -> None:
    if not callable(subject.function):
        raise SubjectError(
            f"Cannot make a subject of {subject.source!r}: it is a {type(subject.function).__name__}, "
            "not a callable; give a function, a callable object or a partial."
        )
    if not subject.name or not subject.name.isprintable():
        raise SubjectError(f"Cannot register a subject as {subject.name!r}: give it a printable, non-empty name.")
    check_timeout(subject.timeout, subject.name)
    if subject.version is not None and not (isinstance(subject.version, str) and subject.version.isprintable()):
        raise SubjectError(f"The version of {subject.name!r} is {subject.version!r}; give it as a printable text.")
    check_limits(subject, subject.name)


def check_timeout(timeout: float | None, name: str) -> None:
    """Raise SubjectError unless `timeout` is None or a finite number of seconds above zero."""
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT_S:
        raise SubjectError(
            f"The timeout of {name!r} is {timeout!r}; give seconds above 0 and up to {MAX_TIMEOUT_S:.0f}."
        )


MAX_TIMEOUT_S = 30 * 24 * 3600.0
"""Longer than any run; the C-level watchdog counts microseconds in a 64-bit integer."""


def source_of(function: Callable[..., Any]) -> str:
    """`module:qualname` of a function, of a partial's function, or of a callable object's class."""
    inner = _innermost(function)
    if not hasattr(inner, "__qualname__"):
        inner = type(inner)
    module = getattr(inner, "__module__", None) or "__main__"
    return f"{module}:{inner.__qualname__}"


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def subject_of(function: Callable[..., Any]) -> Subject:
    """The Subject a callable was registered as, or a plain one named for its source."""
    registered = function.__dict__.get(ATTRIBUTE) if hasattr(function, "__dict__") else None
    if isinstance(registered, Subject) and registered.function is function:
        return registered
    source = source_of(function)
    return Subject(name=source, function=function, source=source)

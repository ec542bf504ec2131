"""The catalogue of hostile subjects, and how each says what must become of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from failtrace.codec import encode_record
from failtrace.contracts import Crashed, Raised, Returned, TimedOut, TraceRecord
from failtrace.subjects.limits import LIMIT_MET, LimitName
from failtrace.subjects.subject import Subject, source_of

Function = TypeVar("Function", bound=Callable[..., Any])
DEADLINE_S = 1.0
"""For those that never end by themselves."""
PATIENCE_S = 20.0
"""For those that do, also on a busy machine."""
_SHORT_RECORD = 64 * 1024
"""Bytes; those of the catalogue's errors have less than a tenth of it."""


def _nothing_more(_: TraceRecord) -> str:
    return ""


class Expected(NamedTuple):
    """What must become of a subject, in words and as a look at its record."""

    told: str
    holds: Callable[[TraceRecord], bool]
    seen: Callable[[TraceRecord], str] = _nothing_more
    """What the record shows, or what is found around it, beyond the failure's message; for any record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A hostile subject; `subject.timeout` and its limits say when it must have ended."""

    title: str
    subject: Subject
    expected: Expected
    input: Any = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.subject.source.partition(":")[2]


HOSTILE: list[Hostile] = []
"""All of them, in the order of the modules."""


def hostile(
    title: str,
    expected: Expected,
    *,
    timeout: float = PATIENCE_S,
    input: Any = None,  # noqa: A002  the contract's word
    **limits: float,
) -> Callable[[Function], Function]:
    """Put a function into the catalogue, and give it back unchanged. `limits` are fields of Limits."""

    def add(function: Function) -> Function:
        name, source = f"hostile: {function.__name__}", source_of(function)
        made = Subject(name=name, version="1", function=function, source=source, timeout=timeout, **limits)  # type: ignore[arg-type]
        HOSTILE.append(Hostile(title=title, subject=made, expected=expected, input=input))
        return function

    return add


def times_out(where: str) -> Expected:
    """Its deadline ends it, and the stacks name the function it stood in."""
    return Expected(
        "ended at its deadline, with the stacks of that moment",
        lambda record: (
            isinstance(record.outcome, TimedOut) and record.outcome.enforced and where in record.outcome.stacks
        ),
    )


def dies_by(signal: str, step: str) -> Expected:
    """A signal ends its process while a step is open."""
    return Expected(
        f"recorded with {signal} and the step that was open",
        lambda record: (
            isinstance(record.outcome, Crashed)
            and record.outcome.termination.signal == signal
            and _failing_step(record) == step
        ),
    )


def meets(limit: LimitName, step: str | None = None) -> Expected:
    """It is ended for a limit, and the record says for which."""
    return Expected(
        f"ended at its {limit}, and the record says so",
        lambda record: _limit_met(record) == limit and (step is None or _failing_step(record) == step),
    )


def raises(
    type_name: str,
    told: str,
    also: Callable[[TraceRecord], bool] = lambda _: True,
    seen: Callable[[TraceRecord], str] = _nothing_more,
) -> Expected:
    """It raises, whatever; the record names the type."""
    return Expected(
        told,
        lambda record: (
            isinstance(record.outcome, Raised)
            and record.outcome.error.type.rpartition(".")[2] == type_name
            and also(record)
        ),
        seen,
    )


def returns(
    told: str,
    also: Callable[[TraceRecord], bool] = lambda _: True,
    seen: Callable[[TraceRecord], str] = _nothing_more,
) -> Expected:
    """It passes, and harms nobody."""
    return Expected(
        told, lambda record: isinstance(record.outcome, Returned) and not record.failure and also(record), seen
    )


def is_alive(pid: Any) -> bool:
    """Whether a process has this number; what is no number is nobody's."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, TypeError):
        return False
    return True


def takes(record: TraceRecord) -> str:
    """How much of the record its error is, and how much all of it."""
    error = getattr(record.outcome, "error", None)
    characters = len(error.stacktrace) if error else 0
    return f"Its traceback has {characters:,} characters, the record {len(encode_record(record)):,} bytes."


def is_short(record: TraceRecord) -> bool:
    """Whether an error, with its traceback and all that hangs on it, made no long record."""
    return len(encode_record(record)) <= _SHORT_RECORD


def _limit_met(record: TraceRecord) -> Any:
    met = record.attributes.get(LIMIT_MET)
    return met.get("name") if record.failure is not None and isinstance(met, dict) else None


def _failing_step(record: TraceRecord) -> str | None:
    failing = record.failure.step_id if record.failure else None
    return next((step.name for step in record.steps if step.step_id == failing), None)

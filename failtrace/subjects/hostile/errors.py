"""Subjects whose exceptions are not what exceptions should be."""

from failtrace.capture.exceptions import MAX_GROUP_DEPTH
from failtrace.capture.step import step
from failtrace.contracts import ErrorInfo, Raised, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, is_short, raises, takes

_LEVELS = 2000


class Unprintable(Exception):
    """Neither its text nor its repr can be had."""

    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


class Unforeseen(BaseException):
    """No `except Exception` holds it."""


def _says_why(record: TraceRecord) -> bool:
    return isinstance(record.outcome, Raised) and "KeyboardInterrupt" in record.outcome.error.message


@hostile("Exception that cannot be printed", raises("Unprintable", "recorded, with why its text is missing", _says_why))
def raise_unprintable() -> None:
    """Its `__str__` raises KeyboardInterrupt."""
    with step("fail"):
        raise Unprintable


@hostile("BaseException", raises("Unforeseen", "recorded as any exception"))
def raise_base_exception() -> None:
    """Derives from BaseException itself."""
    with step("fail"):
        raise Unforeseen("not an Exception")


def _levels(error: ErrorInfo) -> int:
    """How deep groups stand in it, or in what led to it."""
    inside = [1 + _levels(member) for member in error.exceptions]
    return max([*inside, *map(_levels, error.causes)], default=0)


def _levels_of(record: TraceRecord) -> int:
    return _levels(record.outcome.error) if isinstance(record.outcome, Raised) else 0


def _is_shallow(record: TraceRecord) -> bool:
    return 0 < _levels_of(record) <= MAX_GROUP_DEPTH and is_short(record)


def _depth_seen(record: TraceRecord) -> str:
    return f"{_levels_of(record):,} levels of {_LEVELS:,} are recorded. {takes(record)}"


@hostile("Nested exception groups", raises("ExceptionGroup", "recorded, its depth bounded", _is_shallow, _depth_seen))
def raise_nested_groups() -> None:
    """Groups in groups, 2,000 deep, each with a cycle of causes."""
    group: Exception = ValueError("innermost")
    for level in range(_LEVELS):
        member = KeyError(level)
        member.__cause__ = group
        group = ExceptionGroup(f"level {level}", [group, member])
    group.__cause__ = group
    raise group

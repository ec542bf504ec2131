"""Subjects whose exceptions are not what exceptions should be."""

from failtrace.capture.step import step
from failtrace.contracts import Raised, TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, raises

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


@hostile("Nested exception groups", raises("ExceptionGroup", "recorded, its depth bounded"))
def raise_nested_groups() -> None:
    """Groups in groups, 2,000 deep, each with a cycle of causes."""
    group: Exception = ValueError("innermost")
    for level in range(_LEVELS):
        member = KeyError(level)
        member.__cause__ = group
        group = ExceptionGroup(f"level {level}", [group, member])
    group.__cause__ = group
    raise group

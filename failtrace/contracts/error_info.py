"""An exception as data."""

from __future__ import annotations

from typing import Literal

from failtrace.contracts.base import Contract, Many


class ErrorInfo(Contract):
    """One exception, with what led to it and, for a group, what it holds. All texts are bounded and redacted."""

    type: str
    """Qualified class name, e.g. `ValueError` or `shop.errors.OutOfStock`."""
    message: str
    stacktrace: str
    """The formatted traceback of this exception alone, the subject's frames only."""
    notes: Many[str] = ()
    relation: Literal["raised", "cause", "context", "member"] = "raised"
    """How it came to be in the record: raised itself, or found in another's chain or group."""
    causes: Many[ErrorInfo] = ()
    """The chain behind it, nearest first, flattened."""
    exceptions: Many[ErrorInfo] = ()
    """Members of an exception group."""

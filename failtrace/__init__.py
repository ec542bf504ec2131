"""failtrace: a flight recorder for Python functions and AI agents.

The public names load their modules when they are first used, so that `import failtrace` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from failtrace.capture.step import step
    from failtrace.contracts import FailureEvent, FailureType, TraceRecord, TraceStep
    from failtrace.detection.run import run_with_failure_detection
    from failtrace.errors import FailtraceError
    from failtrace.run_report import RunReport
    from failtrace.runner import Runner
    from failtrace.storage.trace_store import TraceStore
    from failtrace.subjects.decorator import subject
    from failtrace.subjects.subject import Subject
    from failtrace.watching import watch

_HOMES = {
    "FailtraceError": "failtrace.errors",
    "FailureEvent": "failtrace.contracts",
    "FailureType": "failtrace.contracts",
    "RunReport": "failtrace.run_report",
    "Runner": "failtrace.runner",
    "Subject": "failtrace.subjects.subject",
    "TraceRecord": "failtrace.contracts",
    "TraceStep": "failtrace.contracts",
    "TraceStore": "failtrace.storage.trace_store",
    "run_with_failure_detection": "failtrace.detection.run",
    "step": "failtrace.capture.step",
    "subject": "failtrace.subjects.decorator",
    "watch": "failtrace.watching",
}

__all__ = [
    "FailtraceError",
    "FailureEvent",
    "FailureType",
    "RunReport",
    "Runner",
    "Subject",
    "TraceRecord",
    "TraceStep",
    "TraceStore",
    "run_with_failure_detection",
    "step",
    "subject",
    "watch",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'failtrace' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

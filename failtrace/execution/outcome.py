"""The `outcome` line of the journal: what the subject gave, already checked and sanitised.

The contract's validators and the evidence function are the user's code: whatever they raise is an `errored` verdict,
never the subject's failure. Only where the process is a host's own (`interruptible`) a KeyboardInterrupt passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from failtrace.capture.capture import Capture
from failtrace.capture.clean_text import byte_length
from failtrace.capture.exceptions import describe_exception
from failtrace.capture.sanitiser import Marks, sanitise, sanitise_text
from failtrace.errors import FailtraceError
from failtrace.execution.contract_check import check_contract
from failtrace.subjects.subject import Subject

MAX_EVIDENCE_TEXTS = 200
MAX_EVIDENCE_TEXT = 256 * 1024


def raised_line(capture: Capture, error: BaseException, duration_ms: float) -> dict[str, Any]:
    """The subject raised."""
    return _line(
        capture,
        duration_ms,
        kind="raised",
        error=describe_exception(error, capture.marks),
        origin=capture.origin_of(error),
    )


def gather_evidence(
    capture: Capture, subject: Subject, value: Any, *, interruptible: bool = False
) -> dict[str, Any] | None:
    """The subject's evidence for this input, to be asked for before the subject runs and may change the input.

    None without an evidence source; else `texts` with `cut` (whether there was more), or `errored` with the reason.
    """
    source = subject.evidence
    if source is None:
        return None
    return _users(
        "evidence function",
        lambda: _texts(source(value) if callable(source) else source, capture.marks),
        capture,
        interruptible=interruptible,
    )


def returned_line(
    capture: Capture,
    subject: Subject,
    evidence: dict[str, Any] | None,
    output: Any,
    duration_ms: float,
    *,
    interruptible: bool = False,
) -> dict[str, Any]:
    """The subject returned: its contract is checked on the real object; `evidence` is what `gather_evidence` gave."""
    # First, for a validator of the contract may change the object.
    returned = sanitise(output, capture.marks)
    return _line(
        capture,
        duration_ms,
        kind="returned",
        contract=_contract(capture, subject, output, interruptible=interruptible),
        evidence=evidence,
        output=returned,
    )


def _line(capture: Capture, duration_ms: float, **fields: Any) -> dict[str, Any]:
    return {"k": "outcome", "t": time.time_ns(), "ms": duration_ms, **fields, "tally": capture.tally()}


def _contract(capture: Capture, subject: Subject, output: Any, *, interruptible: bool) -> dict[str, Any] | None:
    """None without a contract; else its violations, or why it could not be checked."""
    model = subject.output_model
    if model is None:
        return None
    return _users(
        "contract",
        lambda: {"violations": check_contract(model, output, capture.marks)},
        capture,
        interruptible=interruptible,
    )


def _users(what: str, ask: Callable[[], dict[str, Any]], capture: Capture, *, interruptible: bool) -> dict[str, Any]:
    """What the user's code says, or `errored` with what it raised."""
    try:
        return ask()
    except FailtraceError as error:
        return {"errored": sanitise_text(str(error), capture.marks)}
    # The user's code may raise anything, SystemExit too; that must not take the execution's record with it.
    except BaseException as error:
        if interruptible and isinstance(error, KeyboardInterrupt):
            raise
        described = describe_exception(error, capture.marks)
        return {"errored": f"The {what} raised {described['type']}: {described['message']}"}


def _texts(given: Iterable[Any] | str, marks: Marks) -> dict[str, Any]:
    """The texts within their limits. What they lose is counted, and told so that nothing is flagged for its lack."""
    listed = [given] if isinstance(given, str) else list(islice(given, MAX_EVIDENCE_TEXTS + 1))
    more = listed[MAX_EVIDENCE_TEXTS:]
    own = Marks()
    texts = [
        sanitise_text(text if isinstance(text, str) else str(text), own, MAX_EVIDENCE_TEXT)
        for text in listed[:MAX_EVIDENCE_TEXTS]
    ]
    own.bytes_cut += sum(byte_length(text) for text in more if isinstance(text, str))
    marks.bytes_cut += own.bytes_cut
    marks.values_redacted += own.values_redacted
    return {"texts": texts, "cut": bool(more) or own.bytes_cut > 0}

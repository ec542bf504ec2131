"""The `outcome` line of the journal: what the subject gave, already checked and sanitised."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from failtrace.capture.capture import Capture
from failtrace.capture.exceptions import describe_exception
from failtrace.capture.sanitiser import sanitise, sanitise_text
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


def returned_line(capture: Capture, subject: Subject, value: Any, output: Any, duration_ms: float) -> dict[str, Any]:
    """The subject returned: its contract is checked on the real object, its evidence asked for."""
    return _line(
        capture,
        duration_ms,
        kind="returned",
        contract=_contract(capture, subject, output),
        evidence=_evidence(capture, subject, value),
        output=sanitise(output, capture.marks),
    )


def _line(capture: Capture, duration_ms: float, **fields: Any) -> dict[str, Any]:
    return {
        "k": "outcome",
        "t": time.time_ns(),
        "ms": duration_ms,
        **fields,
        "steps_dropped": capture.steps_dropped,
        "logs_dropped": capture.logs_dropped,
        "lines_lost": capture.journal.lost_lines,
        "marks": {"cut": capture.marks.bytes_cut, "redacted": capture.marks.values_redacted},
    }


def _contract(capture: Capture, subject: Subject, output: Any) -> dict[str, Any] | None:
    """None without a contract; else its violations, or why it could not be checked."""
    if subject.output_model is None:
        return None
    try:
        return {"violations": check_contract(subject.output_model, output, capture.marks)}
    except FailtraceError as error:
        return {"errored": str(error)}
    # A contract's validators are the user's code; one that breaks is an errored verdict, not the subject's failure.
    except Exception as error:  # noqa: BLE001
        described = describe_exception(error, capture.marks)
        return {"errored": f"The contract raised {described['type']}: {described['message']}"}


def _evidence(capture: Capture, subject: Subject, value: Any) -> dict[str, Any] | None:
    """None without an evidence source; else its texts, or why they could not be had."""
    source = subject.evidence
    if source is None:
        return None
    try:
        texts = source(value) if callable(source) else source
        return {"texts": _texts(texts, capture)}
    # The evidence function is the user's code.
    except Exception as error:  # noqa: BLE001
        described = describe_exception(error, capture.marks)
        return {"errored": f"The evidence function raised {described['type']}: {described['message']}"}


def _texts(texts: Sequence[str] | str, capture: Capture) -> list[str]:
    listed = [texts] if isinstance(texts, str) else list(texts)
    return [
        sanitise_text(text if isinstance(text, str) else str(text), capture.marks, MAX_EVIDENCE_TEXT)
        for text in listed[:MAX_EVIDENCE_TEXTS]
    ]

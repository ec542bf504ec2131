"""The records a population is made of: of the size and shape that an agent's execution leaves, about 6 KB each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from failtrace.contracts import (
    Completeness,
    ContractViolation,
    DeadlineExceeded,
    DetectorInfo,
    EndedBy,
    Environment,
    ErrorInfo,
    Evidence,
    FailureEvent,
    FailureType,
    LogLine,
    Logs,
    Outcome,
    Raised,
    Returned,
    StepKind,
    StepStatus,
    SubjectInfo,
    TimedOut,
    TraceRecord,
    TraceStep,
    UnsupportedClaim,
    Verdict,
    VerdictStatus,
)

SUBJECTS = (
    "answer_customer", "book_courier", "classify_ticket", "draft_reply",
    "extract_invoice", "plan_route", "refund_order", "summarise_call",
)  # fmt: skip
KINDS = (StepKind.AGENT, StepKind.LLM, StepKind.RETRIEVAL, StepKind.TOOL, StepKind.LLM)
NAMES = ("handle the request", "plan", "search the policy", "look the order up", "write the answer")
DURATION = timedelta(milliseconds=1234.5)
SENTENCE = (
    "The parcel left the depot on Tuesday, and a courier brings it to the customer by Friday noon unless it rains. "
)
_FAILING_STEP = f"{4:016x}"
_STACK = "".join(f'  File "shop/{name}.py", line {40 + n}, in {name}\n' for n, name in enumerate(SUBJECTS))


def outline(subject: str, failure_type: FailureType | None, began: datetime) -> TraceRecord:
    """A whole record of that subject and way of ending; ids and texts are to be replaced by a copy's own."""
    trace_id, failure_id = f"{1:032x}", "01890000-0000-7000-8000-000000000001"
    outcome, evidence = _ending(failure_type)
    failure = (
        None
        if failure_type is None
        else FailureEvent(
            failure_id=failure_id,
            failure_type=failure_type,
            subject=subject,
            run_id="run",
            trace_id=trace_id,
            step_id=_FAILING_STEP,
            message="replaced",
            error=outcome.error if isinstance(outcome, Raised) else None,
            termination=None,
            evidence=evidence,
            detector=DetectorInfo(name="termination", version="1"),
            fingerprint="0" * 16,
            fingerprint_parts=(str(failure_type), subject, NAMES[3]),
            occurred_at=began + DURATION,
            duration_ms=DURATION / timedelta(milliseconds=1),
        )
    )
    returned = isinstance(outcome, Returned)
    return TraceRecord(
        failure_id=failure_id if failure else None,
        trace_id=trace_id,
        run_id="run",
        subject=SubjectInfo(name=subject, version="3", source=f"shop.agents:{subject}"),
        input={},
        output={"text": SENTENCE * 2, "sources": ["policy-17", "order"]} if returned else None,
        outcome=outcome,
        failure=failure,
        verdicts=_verdicts(failure_type),
        steps=tuple(_step(number, began, failed=failure is not None) for number in range(len(NAMES))),
        logs=Logs(lines=tuple(_log_line(number, began) for number in range(2))),
        environment=_ENVIRONMENT,
        completeness=Completeness(steps_started=5, steps_recorded=5),
        attributes={"team": "support", "deployment": "eu-1"},
        started_at=began,
        ended_at=began + DURATION,
        duration_ms=DURATION / timedelta(milliseconds=1),
    )


def _ending(failure_type: FailureType | None) -> tuple[Outcome, tuple[Evidence, ...]]:
    if failure_type is FailureType.EXCEPTION:
        return Raised(error=ErrorInfo(type="shop.errors.OrderNotFound", message="no such order", stacktrace=_STACK)), ()
    if failure_type is FailureType.TIMEOUT:
        stacks = f"Thread 0x1 (most recent call first):\n{_STACK}"
        late = DeadlineExceeded(limit_s=1.0, elapsed_s=1.2345, stacks=stacks)
        return TimedOut(limit_s=1.0, elapsed_s=1.2345, stacks=stacks, enforced=True, termination=None), (late,)
    if failure_type is FailureType.VALIDATION_ERROR:
        missing = ContractViolation(location="items[0].price", rule="missing", message="Field required")
        return Returned(), (missing,)
    if failure_type is FailureType.HALLUCINATION_FLAG:
        claim = UnsupportedClaim(
            text="Friday", start=81, end=87, score=0.9, nearest_evidence=SENTENCE, evidence_source="evidence[0]"
        )
        return Returned(), (claim,)
    return Returned(), ()


def _verdicts(failure_type: FailureType | None) -> tuple[Verdict, ...]:
    judges = {
        "termination": FailureType.EXCEPTION,
        "contract": FailureType.VALIDATION_ERROR,
        "grounding": FailureType.HALLUCINATION_FLAG,
    }
    return tuple(
        Verdict(
            detector=DetectorInfo(name=name, version="1"),
            status=VerdictStatus.FAILED if judges[name] is failure_type else VerdictStatus.PASSED,
            reason="The output was held against what the trace shows.",
            failure_type=failure_type if judges[name] is failure_type else None,
        )
        for name in judges
    )


def _step(number: int, began: datetime, *, failed: bool) -> TraceStep:
    text = SENTENCE
    payload: dict[str, Any] = {"query": text, "top": 5, "filters": {"country": "NO", "kind": "policy"}}
    return TraceStep(
        step_id=f"{number + 1:016x}",
        parent_id=f"{1:016x}" if number else None,
        sequence=number,
        name=NAMES[number],
        kind=KINDS[number],
        started_at=began + timedelta(milliseconds=200 * number),
        duration_ms=190.25,
        status=StepStatus.ERROR if failed and number == 3 else StepStatus.UNSET,
        ended_by=EndedBy.ITSELF,
        input=payload,
        output={"hits": [{"id": f"policy-{hit}", "score": 0.75, "text": SENTENCE} for hit in range(1)]},
        attributes={"gen_ai.request.model": "scripted", "gen_ai.usage.input_tokens": 812},
    )


def _log_line(number: int, began: datetime) -> LogLine:
    return LogLine(
        time=began + timedelta(milliseconds=300 * number),
        level="INFO",
        logger="shop.agents",
        message=f"found {number + 3} documents about the order",
        step_id=f"{number + 1:016x}",
    )


_ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux",
    failtrace="0.1.0",
    git_commit="0" * 40,
    git_dirty=False,
    pid=4711,
    isolation="process",
)

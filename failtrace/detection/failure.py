"""From verdicts to the failure: the first failed one by precedence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from failtrace.analysis.fingerprint import fingerprint, fingerprint_parts
from failtrace.contracts import (
    PRECEDENCE,
    Crashed,
    Evidence,
    FailureEvent,
    FailureType,
    Json,
    StepKind,
    TimedOut,
    TraceStep,
    UnsupportedClaim,
    Verdict,
    VerdictStatus,
)
from failtrace.detection.observation import Observation

MAX_MESSAGE = 2000


def failure_event(
    observation: Observation,
    verdicts: Sequence[Verdict],
    *,
    failure_id: str,
    run_id: str | None,
    trace_id: str,
    origin: str | None,
    occurred_at: datetime,
    duration_ms: float,
) -> FailureEvent | None:
    """The failure of an execution, None where no verdict failed.

    `origin` is the step that failed or was open when the execution ended, where one is known.
    """
    verdict = _first_failed(verdicts)
    if verdict is None or verdict.failure_type is None:
        return None
    outcome = observation.outcome
    if verdict.failure_type is FailureType.HALLUCINATION_FLAG:
        origin = _step_that_said(verdict.evidence, observation.steps)
    parts = fingerprint_parts(
        verdict.failure_type,
        observation.subject,
        outcome,
        verdict.evidence,
        _path(origin, observation.steps),
        observation.breach.name if observation.breach else None,
    )
    return FailureEvent(
        failure_id=failure_id,
        failure_type=verdict.failure_type,
        subject=observation.subject,
        run_id=run_id,
        trace_id=trace_id,
        step_id=origin,
        message=verdict.reason[:MAX_MESSAGE],
        error=observation.error,
        termination=outcome.termination if isinstance(outcome, Crashed | TimedOut) else None,
        evidence=verdict.evidence,
        detector=verdict.detector,
        fingerprint=fingerprint(parts),
        fingerprint_parts=parts,
        occurred_at=occurred_at,
        duration_ms=duration_ms,
    )


def _first_failed(verdicts: Sequence[Verdict]) -> Verdict | None:
    failed = [verdict for verdict in verdicts if verdict.status is VerdictStatus.FAILED]
    return min(failed, key=lambda verdict: _rank(verdict.failure_type), default=None)


def _rank(failure_type: FailureType | None) -> int:
    return PRECEDENCE.index(failure_type) if failure_type is not None else len(PRECEDENCE)


def _path(step_id: str | None, steps: Sequence[TraceStep]) -> tuple[TraceStep, ...]:
    """The step and its ancestors, the outermost first."""
    known = {step.step_id: step for step in steps}
    path: list[TraceStep] = []
    while step_id is not None and step_id in known and len(path) < len(known):
        path.append(known[step_id])
        step_id = known[step_id].parent_id
    return tuple(reversed(path))


def _step_that_said(evidence: Sequence[Evidence], steps: Sequence[TraceStep]) -> str | None:
    """The first model step whose output holds the first unsupported claim: that is where it came from."""
    claim = next((item.text for item in evidence if isinstance(item, UnsupportedClaim)), None)
    if claim is None:
        return None
    # As a word of its own: the claim "11" was not made by a step that says "$1.11".
    words = re.compile(rf"(?<![\w.,]){re.escape(claim)}(?!\w|[.,]\w)")
    models = (step for step in steps if step.kind is StepKind.LLM)
    return next((step.step_id for step in models if any(map(words.search, _texts(step.output)))), None)


def _texts(value: Json) -> list[str]:
    """Every string in a JSON value."""
    texts, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
    return texts

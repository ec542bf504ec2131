"""TraceRecords for tests: one of a kind by `make_record`, and any that the contract allows by `records()`."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from failtrace.codec import encode_record
from failtrace.contracts import (
    Completeness,
    ContractViolation,
    Crashed,
    DeadlineExceeded,
    DetectorInfo,
    Dropped,
    EndedBy,
    Environment,
    ErrorInfo,
    Evidence,
    FailureEvent,
    FailureType,
    LogLine,
    Logs,
    Outcome,
    OutputTail,
    Raised,
    Returned,
    StepEvent,
    StepKind,
    StepStatus,
    SubjectInfo,
    Termination,
    TimedOut,
    TraceRecord,
    TraceStep,
    UnsupportedClaim,
    Verdict,
    VerdictStatus,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def make_record(
    failure_type: FailureType | None = FailureType.EXCEPTION,
    *,
    subject: str = "answer",
    message: str = "ValueError: no such order",
    fingerprint: str = "00000000000000aa",
    ended_at: datetime = NOON,
    run_id: str | None = "run-1",
    number: int | None = None,
    **overrides: Any,
) -> TraceRecord:
    """A valid record; the failure_type None makes one that passed. Ids follow `number`, which else counts up.

    `overrides` replace fields of the record (not of its failure).
    """
    number = next(_numbers) if number is None else number
    trace_id = f"{number:032x}"
    error = ErrorInfo(type="ValueError", message=message, stacktrace='File "shop.py", line 3, in answer\n')
    failure = failure_type and FailureEvent(
        failure_id=failure_id_of(number),
        failure_type=failure_type,
        subject=subject,
        run_id=run_id,
        trace_id=trace_id,
        step_id=f"{1:016x}",
        message=message,
        error=error,
        termination=None,
        evidence=(),
        detector=DetectorInfo(name="termination", version="1"),
        fingerprint=fingerprint,
        fingerprint_parts=("ValueError", "answer"),
        occurred_at=ended_at,
        duration_ms=12.5,
    )
    fields: dict[str, Any] = {
        "failure_id": failure.failure_id if failure else None,
        "trace_id": trace_id,
        "run_id": run_id,
        "subject": SubjectInfo(name=subject, version=None, source=f"shop:{subject}"),
        "input": {"question": "where is my order?"},
        "output": None if failure else "on its way",
        "outcome": Raised(error=error) if failure else Returned(),
        "failure": failure,
        "verdicts": (),
        "steps": (make_step(),),
        "logs": Logs(),
        "environment": Environment(
            python="3.11.7",
            platform="linux",
            failtrace="0.1.0",
            git_commit=None,
            git_dirty=None,
            pid=4711,
            isolation="process",
        ),
        "completeness": Completeness(steps_started=1, steps_recorded=1),
        "attributes": {},
        "started_at": ended_at - timedelta(milliseconds=12.5),
        "ended_at": ended_at,
        "duration_ms": 12.5,
    }
    return TraceRecord(**fields | overrides)


def make_step(name: str = "search", sequence: int = 0, **overrides: Any) -> TraceStep:
    """A valid step that ended by itself."""
    fields: dict[str, Any] = {
        "step_id": f"{sequence + 1:016x}",
        "parent_id": None,
        "sequence": sequence,
        "name": name,
        "kind": StepKind.RETRIEVAL,
        "started_at": NOON,
        "duration_ms": 1.5,
        "status": StepStatus.OK,
        "ended_by": EndedBy.ITSELF,
    }
    return TraceStep(**fields | overrides)


def failure_id_of(number: int) -> str:
    """The failure_id that `make_record(number=...)` gives: a UUIDv7, in the order of the numbers."""
    return f"01890000-0000-7000-8000-{number:012x}"


def item(record: TraceRecord) -> tuple[TraceRecord, bytes]:
    """A record with its encoding, as the mirror takes it."""
    return record, encode_record(record)


# Any record that the contract allows.

_texts = st.text(max_size=20)  # any code point but surrogates, which are not JSON; NUL, quotes and emoji included
_counts = st.integers(0, 2**53)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_moments = st.datetimes(timezones=st.just(UTC))
_trace_ids = st.integers(0, 2**128 - 1).map("{:032x}".format)
_step_ids = st.integers(0, 2**64 - 1).map("{:016x}".format)
_failure_ids = st.tuples(st.integers(0, 2**48 - 1), st.integers(0, 0xFFF), st.integers(0, 2**62 - 1)).map(
    lambda parts: _uuid7_text(*parts)
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _finite | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(_texts, _json, max_size=3)


def _uuid7_text(time: int, middle: int, low: int) -> str:
    variant = 0x8000 | low >> 48
    return f"{time >> 16:08x}-{time & 0xFFFF:04x}-7{middle:03x}-{variant:04x}-{low & 0xFFFFFFFFFFFF:012x}"


def _tuples(members: st.SearchStrategy[Any], at_most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(members, max_size=at_most).map(tuple)


_flat_errors = st.builds(
    ErrorInfo,
    type=_texts,
    message=_texts,
    stacktrace=_texts,
    notes=_tuples(_texts),
    relation=st.sampled_from(["raised", "cause", "context", "member"]),
)
_errors = st.builds(
    ErrorInfo,
    type=_texts,
    message=_texts,
    stacktrace=_texts,
    notes=_tuples(_texts),
    causes=_tuples(_flat_errors),
    exceptions=_tuples(_flat_errors),
)
_terminations = st.builds(
    Termination,
    exit_code=st.none() | st.integers(-64, 255),
    signal=st.none() | _texts,
    core_dumped=st.booleans(),
    out_of_memory=st.none() | st.booleans(),
    peak_rss_bytes=st.none() | _counts,
    last_open_step_id=st.none() | _step_ids,
)
_evidence: st.SearchStrategy[Evidence] = st.one_of(
    st.builds(ContractViolation, location=_texts, rule=_texts, message=_texts, value=_json),
    st.builds(DeadlineExceeded, limit_s=_finite, elapsed_s=_finite, stacks=_texts),
    st.builds(
        UnsupportedClaim,
        text=_texts,
        start=_counts,
        end=_counts,
        score=_finite,
        nearest_evidence=_texts,
        evidence_source=_texts,
    ),
)
_outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Returned()),
    st.builds(Raised, error=_errors),
    st.builds(
        TimedOut,
        limit_s=_finite,
        elapsed_s=_finite,
        stacks=_texts,
        enforced=st.booleans(),
        termination=st.none() | _terminations,
    ),
    st.builds(Crashed, termination=_terminations, reason=_texts),
)
_detectors = st.builds(DetectorInfo, name=_texts, version=_texts)
_steps = st.builds(
    TraceStep,
    step_id=_step_ids,
    parent_id=st.none() | _step_ids,
    sequence=_counts,
    name=_texts,
    kind=st.sampled_from(StepKind),
    started_at=_moments,
    duration_ms=_finite,
    status=st.sampled_from(StepStatus),
    ended_by=st.sampled_from(EndedBy),
    input=_json,
    output=_json,
    attributes=_objects,
    events=_tuples(st.builds(StepEvent, name=_texts, time=_moments, attributes=_objects)),
    error=st.none() | _errors,
    dropped=st.builds(Dropped, attributes=_counts, events=_counts, links=_counts),
)
_tails = st.builds(OutputTail, text=_texts, total_bytes=_counts)
_logs = st.builds(
    Logs,
    lines=_tuples(
        st.builds(LogLine, time=_moments, level=_texts, logger=_texts, message=_texts, step_id=st.none() | _step_ids)
    ),
    stdout=_tails,
    stderr=_tails,
)
_verdicts = st.sampled_from(VerdictStatus).flatmap(
    lambda status: st.builds(
        Verdict,
        detector=_detectors,
        status=st.just(status),
        reason=_texts,
        failure_type=st.sampled_from(FailureType) if status is VerdictStatus.FAILED else st.none(),
        evidence=_tuples(_evidence),
    )
)


def _failures(trace_id: str) -> st.SearchStrategy[FailureEvent]:
    return st.builds(
        FailureEvent,
        failure_id=_failure_ids,
        failure_type=st.sampled_from(FailureType),
        subject=_texts,
        run_id=st.none() | _texts,
        trace_id=st.just(trace_id),
        step_id=st.none() | _step_ids,
        message=_texts,
        error=st.none() | _errors,
        termination=st.none() | _terminations,
        evidence=_tuples(_evidence),
        detector=_detectors,
        fingerprint=_texts,
        fingerprint_parts=_tuples(_texts),
        occurred_at=_moments,
        duration_ms=_finite,
    )


@st.composite
def records(draw: st.DrawFn) -> TraceRecord:
    """Any valid TraceRecord, all members of all unions among them."""
    trace_id = draw(_trace_ids)
    failure = draw(st.none() | _failures(trace_id))
    return TraceRecord(
        failure_id=failure.failure_id if failure else None,
        trace_id=trace_id,
        run_id=draw(st.none() | _texts),
        subject=SubjectInfo(name=draw(_texts), version=draw(st.none() | _texts), source=draw(_texts)),
        input=draw(_json),
        output=draw(_json),
        outcome=draw(_outcomes),
        failure=failure,
        verdicts=draw(_tuples(_verdicts)),
        steps=draw(_tuples(_steps)),
        logs=draw(_logs),
        environment=Environment(
            python=draw(_texts),
            platform=draw(_texts),
            failtrace=draw(_texts),
            git_commit=draw(st.none() | _texts),
            git_dirty=draw(st.none() | st.booleans()),
            pid=draw(_counts),
            isolation=draw(st.sampled_from(["process", "inline"])),
        ),
        completeness=Completeness(**{name: draw(_counts) for name in Completeness.model_fields}),
        attributes=draw(_objects),
        started_at=draw(_moments),
        ended_at=draw(_moments),
        duration_ms=draw(_finite),
    )

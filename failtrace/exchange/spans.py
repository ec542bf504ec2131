"""A record as OpenTelemetry spans: one for the execution, under it one for each step."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue
from pydantic_core import to_json

from failtrace.contracts import EndedBy, ErrorInfo, Json, StepKind, StepStatus, TraceRecord, TraceStep

MAX_TEXT = 32_768
"""Characters of one text; what is cut from a span is counted in its attribute `failtrace.characters_cut`."""
MAX_ITEMS = 1_024
"""Items of a list that stays a list; a longer one goes as JSON text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_NS = 2**63 - 1
"""The year 2262: what every receiver can hold."""
_MAX_MS = _LAST_NS / 1e6
_INT64 = range(-(2**63), 2**63)
_STATUS = {StepStatus.OK: StatusCode.OK, StepStatus.ERROR: StatusCode.ERROR, StepStatus.UNSET: StatusCode.UNSET}
# OpenTelemetry's GenAI conventions: a call to a model is a CLIENT span.
_SPAN_KIND = {StepKind.LLM: SpanKind.CLIENT, StepKind.EMBEDDING: SpanKind.CLIENT}
_OPENINFERENCE: dict[StepKind, str | None] = {
    **{kind: kind.value.upper() for kind in StepKind},
    StepKind.RETRIEVAL: "RETRIEVER",
    StepKind.STEP: None,
}


def spans_of(record: TraceRecord, resource: Resource | None = None) -> list[ReadableSpan]:
    """The execution's span, then its steps' in their order, all under the record's trace id.

    What the steps recorded is kept: ids, parents, times, attributes (GenAI's and OpenInference's among them), events.
    """
    return _Spans(record, resource or own_resource()).all()


def own_resource() -> Resource:
    """Who sends: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES as OpenTelemetry reads them, else `failtrace`."""
    found = Resource.create()
    named = not str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    return found if named else found.merge(Resource({SERVICE_NAME: "failtrace"}))


def root_span_id(trace_id: str, taken: Collection[int] = ()) -> int:
    """The span id of an execution: always the same for a trace id, and none of `taken`."""
    attempt = 0
    while True:
        digest = hashlib.sha256(f"failtrace root {trace_id} {attempt}".encode()).digest()
        span_id = int.from_bytes(digest[:8], "big")
        if span_id and span_id not in taken:
            return span_id
        attempt += 1


def nanoseconds(moment: datetime) -> int:
    """A moment as nanoseconds since the epoch; one before it as 0, one after the year 2262 as the last."""
    return min(max((moment - _EPOCH) // _MICROSECOND * 1000, 0), _LAST_NS)


def _after(start: int, duration_ms: float) -> int:
    return min(start + round(min(max(duration_ms, 0.0), _MAX_MS) * 1e6), _LAST_NS)


class _Spans:
    """The spans of one record, with what they share."""

    def __init__(self, record: TraceRecord, resource: Resource) -> None:
        self._record = record
        self._resource = resource
        self._scope = InstrumentationScope("failtrace", record.environment.failtrace)
        self._trace_id = int(record.trace_id, 16)
        taken = {int(step.step_id, 16) for step in record.steps}
        self._root = self._context(root_span_id(record.trace_id, taken))

    def all(self) -> list[ReadableSpan]:
        return [self._execution(), *map(self._step, self._record.steps)]

    def _execution(self) -> ReadableSpan:
        record, failure = self._record, self._record.failure
        error = failure.error if failure else getattr(record.outcome, "error", None)
        start = nanoseconds(record.started_at)
        end = max(start, nanoseconds(record.ended_at))
        attributes = _Attributes(record.attributes)
        attributes.payload("input", record.input)
        attributes.payload("output", record.output)
        attributes.put(_facts(record))
        return self._span(
            record.subject.name,
            self._root,
            None,
            kind=SpanKind.SERVER,
            times=(start, end),
            events=_exception(error, nanoseconds(failure.occurred_at) if failure else end, attributes),
            status=Status(StatusCode.ERROR, attributes.cut(failure.message)) if failure else Status(StatusCode.OK),
            attributes=attributes,
        )

    def _step(self, step: TraceStep) -> ReadableSpan:
        start = nanoseconds(step.started_at)
        end = _after(start, step.duration_ms)
        attributes = _Attributes(step.attributes)
        attributes.payload("input", step.input)
        attributes.payload("output", step.output)
        attributes.put(_step_facts(step))
        own = [Event(event.name, attributes.more(event.attributes), nanoseconds(event.time)) for event in step.events]
        return self._span(
            step.name,
            self._context(int(step.step_id, 16)),
            self._root if step.parent_id is None else self._context(int(step.parent_id, 16)),
            kind=_SPAN_KIND.get(step.kind, SpanKind.INTERNAL),
            times=(start, end),
            events=[*own, *_exception(step.error, end, attributes)],
            status=_step_status(step, attributes),
            attributes=attributes,
        )

    def _context(self, span_id: int) -> SpanContext:
        return SpanContext(self._trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        *,
        kind: SpanKind,
        times: tuple[int, int],
        events: list[Event],
        status: Status,
        attributes: _Attributes,
    ) -> ReadableSpan:
        return ReadableSpan(
            attributes.cut(name),
            context,
            parent,
            self._resource,
            attributes=attributes.done(),
            events=events,
            kind=kind,
            status=status,
            start_time=times[0],
            end_time=times[1],
            instrumentation_scope=self._scope,
        )


class _Attributes:
    """The attributes of one span, in OpenTelemetry's types, and how many characters were cut for it."""

    def __init__(self, recorded: Mapping[str, Json]) -> None:
        self._cut = 0
        self._values = self.more(recorded)

    def cut(self, text: str) -> str:
        """The text, MAX_TEXT characters of it at most."""
        self._cut += max(0, len(text) - MAX_TEXT)
        return text[:MAX_TEXT]

    def more(self, recorded: Mapping[str, Json]) -> dict[str, AttributeValue]:
        """Recorded values in types that an attribute may have; a null is left out."""
        return {key: self._value(value) for key, value in recorded.items() if value is not None}

    def put(self, facts: Mapping[str, Json]) -> None:
        """Add what failtrace says itself; None is left out."""
        self._values.update(self.more(facts))

    def payload(self, side: str, value: Json) -> None:
        """An input or output as OpenInference has it: a text as it is, anything else as JSON."""
        if value is not None:
            is_text = isinstance(value, str)
            self._values[f"{side}.value"] = self.cut(value if isinstance(value, str) else _json(value))
            self._values[f"{side}.mime_type"] = "text/plain" if is_text else "application/json"

    def done(self) -> dict[str, AttributeValue]:
        """All of them, with the count of what was cut."""
        return {**self._values, "failtrace.characters_cut": self._cut} if self._cut else self._values

    def _value(self, value: Json) -> AttributeValue:
        if isinstance(value, str):
            return self.cut(value)
        if _is_number(value):
            return value
        if isinstance(value, list) and self._may_stay(value):
            return tuple(value)
        return self.cut(_json(value))

    @staticmethod
    def _may_stay(items: list[Any]) -> bool:
        """Whether a list is short and all of one type that an attribute may have."""
        if len(items) > MAX_ITEMS or len(set(map(type, items))) > 1:
            return False
        if all(type(item) is str for item in items):
            return sum(map(len, items)) <= MAX_TEXT
        return all(map(_is_number, items))


def _is_number(value: object) -> TypeGuard[bool | int | float]:
    return isinstance(value, bool | float) or (isinstance(value, int) and value in _INT64)


def _json(value: Json) -> str:
    return to_json(value).decode()


def _facts(record: TraceRecord) -> dict[str, Json]:
    """What a reader searches executions by, and the honest count of what the record holds."""
    failure = record.failure
    error = failure.error if failure else None
    return {
        "failtrace.subject": record.subject.name,
        "failtrace.subject_version": record.subject.version,
        "failtrace.run_id": record.run_id,
        "failtrace.outcome": record.outcome.kind,
        "failtrace.failure_id": record.failure_id,
        "failtrace.failure_type": failure.failure_type.value if failure else None,
        "failtrace.fingerprint": failure.fingerprint if failure else None,
        "failtrace.failed_step_id": failure.step_id if failure else None,
        "failtrace.completeness": record.completeness.model_dump_json(),
        "error.type": error.type if error else (failure.failure_type.value if failure else None),
    }


def _step_facts(step: TraceStep) -> dict[str, Json]:
    dropped = step.dropped
    return {
        "openinference.span.kind": _OPENINFERENCE[step.kind],
        "failtrace.ended_by": step.ended_by.value,
        "failtrace.dropped_attributes": dropped.attributes or None,
        "failtrace.dropped_events": dropped.events or None,
        "failtrace.dropped_links": dropped.links or None,
        "error.type": step.error.type if step.error else None,
    }


def _step_status(step: TraceStep, attributes: _Attributes) -> Status:
    """As recorded; a step that its deadline or the death of its process ended, without a word of its own, failed."""
    if step.status is StepStatus.ERROR:
        return Status(StatusCode.ERROR, attributes.cut(step.error.message) if step.error else None)
    if step.status is StepStatus.UNSET and step.ended_by in (EndedBy.TIMEOUT, EndedBy.PROCESS_DEATH):
        return Status(StatusCode.ERROR, f"ended by {step.ended_by.value.replace('_', ' ')}")
    return Status(_STATUS[step.status])


def _exception(error: ErrorInfo | None, at: int, attributes: _Attributes) -> list[Event]:
    """https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/"""
    if error is None:
        return []
    told: dict[str, Json] = {
        "exception.type": error.type,
        "exception.message": error.message,
        "exception.stacktrace": error.stacktrace,
    }
    return [Event("exception", attributes.more(told), at)]

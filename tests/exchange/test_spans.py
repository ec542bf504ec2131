"""A record as spans: nothing of its ids, parents, times and attributes is lost on the way."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from support.records import NOON, make_record, make_step, records

from failtrace import step
from failtrace.contracts import EndedBy, ErrorInfo, FailureType, StepEvent, StepKind, StepStatus, TraceRecord
from failtrace.detection.run import run_with_failure_detection
from failtrace.exchange.spans import MAX_TEXT, nanoseconds, root_span_id, spans_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_NS = 2**63 - 1


def exact_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch, computed otherwise than the code does; what no receiver can hold is bounded."""
    since = moment - EPOCH
    exact = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
    return min(max(exact, 0), LAST_NS)


def hexed(span: ReadableSpan) -> tuple[str, str | None]:
    return f"{span.context.span_id:016x}", f"{span.parent.span_id:016x}" if span.parent else None


@given(record=records())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_record_keeps_ids_parents_and_times(record: TraceRecord) -> None:
    """Whatever a record holds, its spans have its ids, parents and times, and OTLP can encode them all."""
    root, *steps = spans_of(record)
    root_id = hexed(root)[0]

    assert {span.context.trace_id for span in (root, *steps)} == {int(record.trace_id, 16)}
    assert [hexed(span) for span in steps] == [(one.step_id, one.parent_id or root_id) for one in record.steps]
    assert root_id not in {one.step_id for one in record.steps}
    assert [span.start_time for span in steps] == [exact_ns(one.started_at) for one in record.steps]
    assert (root.start_time, root.parent) == (exact_ns(record.started_at), None)
    assert all(0 <= span.start_time <= span.end_time <= LAST_NS for span in (root, *steps))
    assert len(encode_spans([root, *steps]).SerializeToString()) > 0


def test_the_span_of_an_execution_tells_its_failure() -> None:
    """The execution's span carries the ids, the outcome, input, the error as status and as an event."""
    record = make_record(FailureType.EXCEPTION, number=7, attributes={"customer": "Miller"})

    root = spans_of(record)[0]
    (event,) = root.events

    assert root.name == "answer"
    assert root.kind is SpanKind.SERVER
    assert root.attributes == {
        "customer": "Miller",
        "input.value": '{"question":"where is my order?"}',
        "input.mime_type": "application/json",
        "failtrace.subject": "answer",
        "failtrace.run_id": "run-1",
        "failtrace.outcome": "raised",
        "failtrace.failure_id": record.failure_id,
        "failtrace.failure_type": "exception",
        "failtrace.fingerprint": "00000000000000aa",
        "failtrace.failed_step_id": "0000000000000001",
        "failtrace.completeness": record.completeness.model_dump_json(),
        "error.type": "ValueError",
    }
    assert (root.status.status_code, root.status.description) == (StatusCode.ERROR, "ValueError: no such order")
    assert event.name == "exception"
    assert event.timestamp == nanoseconds(NOON)
    assert event.attributes == {
        "exception.type": "ValueError",
        "exception.message": "ValueError: no such order",
        "exception.stacktrace": 'File "shop.py", line 3, in answer\n',
    }


def test_an_execution_that_passed_is_ok_and_has_its_output() -> None:
    """Without a failure the status is OK, a text output goes as it is, and no failure is spoken of."""
    root = spans_of(make_record(None))[0]

    assert root.status.status_code is StatusCode.OK
    assert (root.attributes["output.value"], root.attributes["output.mime_type"]) == ("on its way", "text/plain")
    assert [key for key in root.attributes if "fail" in key and "failtrace." not in key] == []
    assert root.events == ()


def test_a_step_keeps_what_it_recorded() -> None:
    """GenAI attributes, events, input and output of a step arrive, in types that OpenTelemetry has."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 12,
        "stop": ["a", "b"],
        "scores": [1.5, 2.5],
        "mixed": [1, "a", None],
        "nested": {"deep": {"$failtrace": "redacted"}},
        "large": 2**70,
        "nothing": None,
    }
    event = StepEvent(name="first token", time=NOON + timedelta(microseconds=1), attributes={"n": 1})
    told = make_step(kind=StepKind.LLM, attributes=attributes, events=(event,), input=["q"], output="a")

    span = spans_of(make_record(steps=(told,)))[1]

    assert span.kind is SpanKind.CLIENT
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 12,
        "stop": ("a", "b"),
        "scores": (1.5, 2.5),
        "mixed": '[1,"a",null]',
        "nested": '{"deep":{"$failtrace":"redacted"}}',
        "large": str(2**70),
        "input.value": '["q"]',
        "input.mime_type": "application/json",
        "output.value": "a",
        "output.mime_type": "text/plain",
        "openinference.span.kind": "LLM",
        "failtrace.ended_by": "itself",
    }
    assert [(one.name, one.timestamp, dict(one.attributes or {})) for one in span.events] == [
        ("first token", nanoseconds(NOON) + 1_000, {"n": 1})
    ]
    assert span.end_time - span.start_time == 1_500_000


@pytest.mark.parametrize("ended_by", [EndedBy.TIMEOUT, EndedBy.PROCESS_DEATH])
def test_a_step_that_was_cut_off_is_an_error(ended_by: EndedBy) -> None:
    """A step that a deadline or the death of its process ended is an error, and says which it was."""
    told = make_step(status=StepStatus.UNSET, ended_by=ended_by)

    span = spans_of(make_record(steps=(told,)))[1]

    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["failtrace.ended_by"] == ended_by.value


def test_a_step_that_failed_has_its_exception() -> None:
    """An error of a step is its status message and an event at its end."""
    error = ErrorInfo(type="KeyError", message="'price'", stacktrace="…")

    span = spans_of(make_record(steps=(make_step(status=StepStatus.ERROR, error=error),)))[1]

    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "'price'")
    assert [(one.name, one.timestamp) for one in span.events] == [("exception", span.end_time)]


def test_what_is_cut_is_counted() -> None:
    """A text is bounded, and the span says how many characters went."""
    span = spans_of(make_record(input="x" * (MAX_TEXT + 5), attributes={"long": ["y" * MAX_TEXT, "y"]}))[0]

    as_json = len(json.dumps(["y" * MAX_TEXT, "y"], separators=(",", ":")))
    assert len(span.attributes["input.value"]) == MAX_TEXT
    assert span.attributes["failtrace.characters_cut"] == 5 + as_json - MAX_TEXT


def test_the_root_is_stable_and_none_of_the_steps() -> None:
    """The execution's span id follows from its trace id; a step that has it already makes it another."""
    trace_id = "ab" * 16
    usual = root_span_id(trace_id)

    assert root_span_id(trace_id) == usual
    assert root_span_id(trace_id, {usual}) not in {usual, 0}


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        (None, "", "failtrace"),
        ("OTEL_SERVICE_NAME", "shop", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=store,team=a", "store"),
    ],
    ids=["default", "service-name", "resource-attributes"],
)
def test_the_service_has_the_name_that_opentelemetry_reads(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, value: str, name: str
) -> None:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name the service, else it is failtrace."""
    if variable:
        monkeypatch.setenv(variable, value)

    assert spans_of(make_record())[0].resource.attributes["service.name"] == name


def hang(_: str) -> None:
    """Opens two steps and stays in the inner one."""
    with step("search", kind="retrieval"), step("read"):
        while True:
            pass


def test_the_steps_of_a_killed_process_are_spans() -> None:
    """A hung execution, ended by its deadline, gives its open steps as spans under the execution's."""
    _, record = run_with_failure_detection(hang, "q", timeout=0.5)

    root, search, read = spans_of(record)

    assert [span.name for span in (search, read)] == ["search", "read"]
    assert (search.parent, read.parent) == (root.context, search.context)
    assert {span.attributes["failtrace.ended_by"] for span in (search, read)} == {"timeout"}
    assert root.attributes["failtrace.failure_type"] == "timeout"
    assert root.start_time <= search.start_time <= read.start_time <= read.end_time

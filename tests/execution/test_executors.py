"""What every executor must do, whichever isolation it gives."""

import functools
from typing import Any

import pytest
from support import zoo

from failtrace import run_with_failure_detection
from failtrace.contracts import EndedBy, FailureType, StepKind, TraceRecord

ISOLATIONS = ("process", "inline")


def run(subject: Any, value: Any, isolation: str = "process", **options: Any) -> TraceRecord:
    return run_with_failure_detection(subject, value, isolation=isolation, **options)[1]


def parents(record: TraceRecord) -> dict[str, str | None]:
    """Each step's name, with the name of the step it hangs under."""
    names = {step.step_id: step.name for step in record.steps}
    return {step.name: names.get(step.parent_id or "") for step in record.steps}


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize(
    ("subject", "value", "output"),
    [
        pytest.param(zoo.double, 4, 8, id="function"),
        pytest.param(zoo.double_later, 4, 8, id="async-function"),
        pytest.param(zoo.count_to, 3, [0, 1, 2], id="generator"),
        pytest.param(zoo.count_later, 3, [0, 1, 2], id="async-generator"),
        pytest.param(zoo.double_by_object, 4, 8, id="callable-object"),
        pytest.param(functools.partial(zoo.double), 4, 8, id="partial"),
        pytest.param(zoo.times_three, 4, 12, id="partial-of-a-lambda"),
        pytest.param(lambda value: value + 1, 4, 5, id="lambda"),
        pytest.param(zoo.no_input, None, "nothing was asked", id="no-parameters"),
        pytest.param("support.zoo:double", 4, 8, id="module:attribute"),
        pytest.param("operator:neg", 4, -4, id="builtin"),
    ],
)
def test_every_kind_of_callable_runs(isolation: str, subject: Any, value: Any, output: Any) -> None:
    """Whatever can be called gives its whole result."""
    record = run(subject, value, isolation)

    assert (record.failure, record.output, record.outcome.kind) == (None, output, "returned")
    assert record.environment.isolation == isolation


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize(
    ("subject", "value", "error_type", "message"),
    [
        pytest.param(zoo.complain, "no", "ValueError", "no", id="exception"),
        pytest.param(zoo.leave, 3, "SystemExit", "3", id="sys.exit"),
        pytest.param(
            zoo.raise_unprintable,
            None,
            "support.zoo.Unprintable",
            "<the exception's __str__ raised KeyboardInterrupt>",
            id="unprintable",
        ),
    ],
)
def test_what_a_subject_raises_is_a_failure(
    isolation: str, subject: Any, value: Any, error_type: str, message: str
) -> None:
    """An exception becomes a FailureEvent with the subject's frames only, never an error of the caller."""
    failure = run(subject, value, isolation).failure

    assert failure is not None
    assert failure.error is not None
    assert (failure.failure_type, failure.error.type, failure.error.message) == (
        FailureType.EXCEPTION,
        error_type,
        message,
    )
    assert "support/zoo.py" in failure.error.stacktrace
    assert "failtrace/execution" not in failure.error.stacktrace


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_the_failing_step_is_where_the_cause_began(isolation: str) -> None:
    """An explicit chain leads to the step that its first exception left."""
    record = run(zoo.deep_chain, None, isolation)

    assert record.failure is not None
    assert record.failure.error is not None
    assert [cause.type for cause in record.failure.error.causes] == ["KeyError"]
    assert next(step.name for step in record.steps if step.step_id == record.failure.step_id) == "inner"


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_steps_nest_across_tasks_and_libraries(isolation: str) -> None:
    """A step opened in a task hangs under the step that started it."""
    record = run(zoo.steps_in_tasks, None, isolation)

    assert parents(record) == {"outer": None, "first": "outer", "second": "outer", "third": "outer"}
    assert {step.ended_by for step in record.steps} == {EndedBy.ITSELF}
    assert record.completeness.steps_recorded == 4


def test_context_reaches_threads() -> None:
    """contextvars and the current step reach threads and thread pools of a subject in its own process."""
    record = run(zoo.steps_in_threads, None)

    assert record.output == ["from the subject", "from the subject"]
    assert parents(record) == {"outer": None, "in a thread": "outer", "in a pool": "outer"}


def test_a_library_s_span_is_a_step() -> None:
    """A span opened through plain OpenTelemetry shows up like failtrace's own, kind and events included."""
    record = run(zoo.foreign_span, None)

    chat, ours = record.steps
    assert (chat.name, chat.kind, chat.attributes["gen_ai.usage.output_tokens"]) == ("chat gpt", StepKind.LLM, 3)
    assert [(event.name, event.attributes) for event in chat.events] == [("first token", {"n": 1})]
    assert ours.parent_id == chat.step_id


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_logging_is_in_the_record_and_redacted(isolation: str) -> None:
    """Log records are kept with the step they were made in, and without the secrets in them."""
    first = run(zoo.talk, None, isolation).logs.lines[0]

    assert (first.level, first.logger) == ("WARNING", "zoo")
    assert first.step_id is not None
    assert "hunter2secret" not in first.message
    assert "password" in first.message


def test_contract_and_evidence_can_be_given_with_the_call() -> None:
    """Keywords of the call stand in for the subject's own contract, evidence and tags."""
    record = run(zoo.double, 4, output_model=str, attributes={"ticket": "T-1", "api_key": "abcdefgh12345"}, run_id="r")

    assert record.failure is not None
    assert record.failure.failure_type is FailureType.VALIDATION_ERROR
    assert record.failure.evidence[0].model_dump() == {
        "kind": "contract_violation",
        "location": "$",
        "rule": "string_type",
        "message": "Input should be a valid string",
        "value": 8,
    }
    assert (record.run_id, record.attributes["ticket"]) == ("r", "T-1")
    assert record.attributes["api_key"] != "abcdefgh12345"


def test_json_schema_is_a_contract() -> None:
    """A JSON Schema given as a dict holds the output to it."""
    schema = {"type": "array", "items": {"type": "integer", "maximum": 1}}

    failure, _ = run_with_failure_detection(zoo.count_to, 3, output_model=schema)

    assert failure is not None
    assert [(item.location, item.rule, item.value) for item in failure.evidence] == [("[2]", "maximum", 2)]  # type: ignore[union-attr]


def test_a_broken_contract_is_an_errored_verdict() -> None:
    """A contract that is none does not make the subject fail; the verdict says that it could not be checked."""
    record = run(zoo.double, 4, output_model={"type": "no such type"})

    assert record.failure is None
    assert [verdict.status.value for verdict in record.verdicts if verdict.detector.name == "contract"] == ["errored"]

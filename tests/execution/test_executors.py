"""What every executor must do, whichever isolation it gives."""

import functools
import itertools
import os
import shutil
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, model_validator
from support import zoo
from support.memory_journal import MemoryJournal

from failtrace import run_with_failure_detection, step
from failtrace.capture.capture import Capture
from failtrace.contracts import EndedBy, FailureType, StepKind, TraceRecord
from failtrace.execution.outcome import MAX_EVIDENCE_TEXT, MAX_EVIDENCE_TEXTS, gather_evidence
from failtrace.settings import Settings
from failtrace.subjects.subject import Subject

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


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_subject_that_removes_the_journal_is_recorded(isolation: str) -> None:
    """The journal is read by its descriptor, which no subject can take away."""
    record = run(lambda folder: shutil.rmtree(folder), str(Settings.load().journal_path), isolation)

    assert (record.failure, record.outcome.kind) == (None, "returned")


def rewrite_the_documents(value: dict[str, list[str]]) -> str:
    value["documents"][:] = ["The harbour opened in 1856."]
    return "The harbour opened in 1856."


def give_up(_: Any) -> Any:
    raise SystemExit("no more")


def never_end(_: Any) -> Any:
    while True:
        pass


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_evidence_is_what_was_known_before_the_subject_ran(isolation: str) -> None:
    """A subject that writes its answer into the evidence is judged by the evidence as it was."""
    documents = {"documents": ["The harbour opened in 1911."]}
    record = run(rewrite_the_documents, documents, isolation, evidence=lambda value: value["documents"])

    assert record.failure is not None
    assert record.failure.failure_type is FailureType.HALLUCINATION_FLAG
    assert record.failure.evidence[0].nearest_evidence == "The harbour opened in 1911."  # type: ignore[union-attr]


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize(
    ("detector", "options", "reason"),
    [
        ("grounding", {"evidence": give_up}, "The evidence function raised SystemExit: no more"),
        (
            "contract",
            {"output_model": Annotated[int, AfterValidator(give_up)]},
            "The contract raised SystemExit: no more",
        ),
    ],
    ids=["evidence", "contract"],
)
def test_a_judge_that_leaves_is_an_errored_verdict(
    isolation: str, detector: str, options: dict[str, Any], reason: str
) -> None:
    """The evidence function and the validators are the user's code; SystemExit there is not the subject's failure."""
    record = run(zoo.double, 4, isolation, **options)

    assert (record.failure, record.output) == (None, 8)
    assert [verdict.reason for verdict in record.verdicts if verdict.status.value == "errored"] == [reason]
    assert [verdict.detector.name for verdict in record.verdicts if verdict.status.value == "errored"] == [detector]


def test_an_evidence_function_that_hangs_is_ended() -> None:
    """It runs under the subject's deadline."""
    assert run(zoo.double, 4, evidence=never_end, timeout=0.1).outcome.kind == "timed_out"


@pytest.mark.parametrize(
    ("texts", "kept", "cut_bytes"),
    [
        pytest.param(["x"] * MAX_EVIDENCE_TEXTS, MAX_EVIDENCE_TEXTS, 0, id="as-many-as-fit"),
        pytest.param(["x"] * (MAX_EVIDENCE_TEXTS + 1), MAX_EVIDENCE_TEXTS, 1, id="one-more"),
        pytest.param(itertools.repeat("é"), MAX_EVIDENCE_TEXTS, 2, id="without-end"),
        pytest.param(["x" * (MAX_EVIDENCE_TEXT + 1)], 1, 1, id="one-too-long"),
    ],
)
def test_evidence_that_was_left_out_is_told_and_counted(texts: Any, kept: int, cut_bytes: int) -> None:
    """Evidence has its limits, and the journal says where they were reached."""
    capture = Capture(MemoryJournal())
    subject = Subject(name="s", function=zoo.double, source="zoo:double", evidence=lambda _: texts)

    gathered = gather_evidence(capture, subject, None)

    assert gathered is not None
    assert (len(gathered["texts"]), gathered["cut"]) == (kept, cut_bytes > 0)
    assert capture.marks.bytes_cut >= cut_bytes
    assert (capture.marks.bytes_cut > 0) is (cut_bytes > 0)


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_leaves_the_record_to_its_parent(isolation: str) -> None:
    """What a child of the subject does, with steps that were open at the fork too, is not told as the parent's."""
    (outer,) = run(fork_inside_a_step, None, isolation).steps

    assert (outer.name, outer.output, outer.ended_by) == ("outer", "parent", EndedBy.ITSELF)


def fork_inside_a_step(_: Any) -> None:
    """The child leaves the step after its parent has."""
    ended, end = os.pipe()
    with step("outer") as outer:
        child = os.fork()
        if not child:
            os.read(ended, 1)
        outer.output = "parent" if child else "child"
    if not child:
        os._exit(0)
    os.write(end, b"!")
    os.waitpid(child, 0)
    os.close(ended)
    os.close(end)


@pytest.mark.parametrize(
    ("subject", "step"),
    [(zoo.handled_then_raised, None), (zoo.raised_in_a_foreign_span, "inner")],
    ids=["outside-every-step", "in-a-library-s-span"],
)
def test_the_failing_step_is_the_one_the_error_left(subject: Any, step: str | None) -> None:
    """An error that was handled blames nobody; one that left a library's span is found by its exception event."""
    record = run(subject, None)

    assert record.failure is not None
    assert next((item.name for item in record.steps if item.step_id == record.failure.step_id), None) == step


@pytest.mark.parametrize(
    ("output", "schema"),
    [
        pytest.param(2**60, {"type": "integer"}, id="large-integer"),
        pytest.param({"token": "abcdef0123456789abcdef"}, {"properties": {"token": {"type": "string"}}}, id="secret"),
        pytest.param((1, 2), {"type": "array"}, id="tuple"),
        pytest.param([0] * 20_000, {"type": "array", "minItems": 20_000}, id="long-list"),
    ],
)
def test_a_json_schema_sees_the_real_output(output: Any, schema: dict[str, Any]) -> None:
    """The contract is checked on what was returned, not on what is kept of it."""
    assert run(lambda _: output, None, output_model=schema).failure is None


def test_a_validator_that_changes_the_output_does_not_change_the_record() -> None:
    """The record holds what the subject returned."""

    class Tidy(BaseModel):
        name: str

        @model_validator(mode="before")
        @classmethod
        def tidy(cls, data: dict[str, Any]) -> dict[str, Any]:
            data.pop("extra", None)
            return data

    assert run(lambda _: {"name": "x", "extra": 1}, None, output_model=Tidy).output == {"name": "x", "extra": 1}

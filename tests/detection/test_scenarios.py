"""Each built-in scenario comes to exactly what it promises, every time."""

import sys
from typing import Any

import pytest

from failtrace import run_with_failure_detection
from failtrace.contracts import TraceRecord
from failtrace.subjects.registry import REGISTRY
from failtrace.subjects.scenarios import EXPECTED, Expectation

LINUX_ONLY = {"memory_limit_hit"}


def outcome(record: TraceRecord) -> Expectation:
    failure = record.failure
    if failure is None:
        return Expectation(None, None, None)
    step = next((step.name for step in record.steps if step.step_id == failure.step_id), None)
    return Expectation(failure.failure_type, step, failure.fingerprint)


def cases() -> list[Any]:
    return [
        pytest.param(
            name,
            expected,
            id=name,
            marks=pytest.mark.skipif(name in LINUX_ONLY and sys.platform != "linux", reason="enforced on Linux only"),
        )
        for name, expected in EXPECTED.items()
    ]


@pytest.mark.parametrize(("name", "expected"), cases())
def test_scenario_ends_as_promised_twice(name: str, expected: tuple[Expectation, ...]) -> None:
    """Failure type, failing step and fingerprint of every example input are the same, run after run."""
    subject = REGISTRY.get(name)

    assert subject is not None
    for _ in range(2):
        records = [run_with_failure_detection(subject, value)[1] for value in subject.example_inputs]
        assert expected == tuple(outcome(record) for record in records)


def test_every_scenario_has_an_expectation_and_a_contract() -> None:
    """No scenario is registered without saying what it must come to and what it promises to give."""
    scenarios = [subject for subject in REGISTRY.subjects() if subject.module.startswith("failtrace.")]

    assert {subject.name for subject in scenarios} == set(EXPECTED)
    assert [subject.name for subject in scenarios if subject.output_model is None] == []
    assert [subject.name for subject in scenarios if not subject.description] == []


def test_the_agent_that_answers_has_every_kind_of_step() -> None:
    """The passing agent's record holds its agent, model, retrieval and tool steps, nested and complete."""
    record = run_with_failure_detection("agent_that_answers", {"city": "Oslo"})[1]

    agent, *inner = record.steps
    assert [(step.name, step.kind.value) for step in record.steps] == [
        ("answer a question", "agent"),
        ("plan", "llm"),
        ("search", "retrieval"),
        ("count words", "tool"),
        ("write the answer", "llm"),
    ]
    assert {step.parent_id for step in inner} == {agent.step_id}
    assert agent.input == {"question": {"city": "Oslo"}}
    assert agent.output == record.output
    assert [line.message for line in record.logs.lines] == ["found 1 document(s) about Oslo"]
    assert {verdict.status.value for verdict in record.verdicts} == {"passed"}

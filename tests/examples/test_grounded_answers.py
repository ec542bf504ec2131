"""The example of grounded answers: its sample through the whole way, its measures, and the real data if it is there."""

import json
from pathlib import Path

import pytest

from examples.grounded_answers.measure import Figures, Judged, figures, judge_line, main
from examples.grounded_answers.subject import answer
from failtrace import run_with_failure_detection
from failtrace.contracts import FailureType, StepKind, VerdictStatus

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples/grounded_answers/sample.jsonl"
REAL = ROOT.parent / "shared/data/grounding/begin.jsonl"
LINES = SAMPLE.read_text("utf-8").splitlines()


@pytest.mark.parametrize("line", LINES, ids=[json.loads(line)["label"] for line in LINES])
def test_each_answer_of_the_sample_gets_its_verdict(line: str) -> None:
    """An unsupported answer is a hallucination_flag that shows a claim of the answer; a supported one is no failure."""
    turn = json.loads(line)
    failure, record = run_with_failure_detection(answer, turn)
    assert record.output == turn["text"]
    assert [step.kind for step in record.steps] == [StepKind.RETRIEVAL, StepKind.LLM]
    assert (failure is None) == turn["supported"]
    if failure:
        (claim,) = failure.evidence
        assert failure.failure_type is FailureType.HALLUCINATION_FLAG
        assert claim.kind == "unsupported_claim"
        assert turn["text"][claim.start : claim.end] == claim.text
        assert claim.nearest_evidence in " ".join(turn["evidence"])


def test_the_measures_are_what_their_names_say() -> None:
    """Worked out by hand on five answers: 2 of 3 unsupported flagged, 1 of 2 supported flagged."""
    failed, passed, abstained = VerdictStatus.FAILED, VerdictStatus.PASSED, VerdictStatus.ABSTAINED
    answers = [
        Judged(unsupported=True, status=failed, score=0.9, elapsed_ms=1.0),
        Judged(unsupported=True, status=failed, score=0.8, elapsed_ms=2.0),
        Judged(unsupported=True, status=abstained, score=0.0, elapsed_ms=3.0),
        Judged(unsupported=False, status=failed, score=0.8, elapsed_ms=4.0),
        Judged(unsupported=False, status=passed, score=0.0, elapsed_ms=5.0),
    ]
    assert figures(answers) == Figures(
        answers=5,
        unsupported=3,
        flagged=3,
        abstained=1,
        precision=2 / 3,
        recall=2 / 3,
        f1=2 / 3,
        balanced_accuracy=pytest.approx((2 / 3 + 1 / 2) / 2),
        auc=pytest.approx((1 + 1 + 0.5 + 1 + 0 + 0.5) / 6),
        p95_ms=5.0,
    )


def test_the_script_prints_a_table_and_asks_for_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures for a file, one sentence and exit status 2 without one."""
    assert main([str(SAMPLE)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("sample.jsonl\n")
    assert "precision          1.000" in printed
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Name at least one file")


@pytest.mark.skipif(not REAL.exists(), reason="the public data set is not beside the project")
def test_flags_on_real_answers_are_nearly_all_right() -> None:
    """Precision comes first: of the flags on 1,229 real dialogue turns at least 95 in 100 are right."""
    measured = figures([judge_line(line) for line in REAL.read_text("utf-8").splitlines()])
    assert measured.precision is not None
    assert measured.precision >= 0.95
    assert measured.flagged >= 40

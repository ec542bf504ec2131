"""Precedence of verdicts, and detectors that break."""

from typing import Any

import pytest
from support import zoo

from failtrace import run_with_failure_detection
from failtrace.contracts import (
    PRECEDENCE,
    DetectorInfo,
    FailureType,
    Returned,
    Verdict,
    VerdictStatus,
)
from failtrace.detection.detectors import ask
from failtrace.detection.failure import _first_failed
from failtrace.detection.observation import Observation

OBSERVATION = Observation(
    subject="s", input=None, output="out", outcome=Returned(), steps=(), contract=None, evidence=None
)


class Broken:
    """A detector that raises."""

    name = "broken"
    version = "7"

    def detect(self, observation: Observation) -> Verdict:
        raise RuntimeError("no judgement today")


def failed(failure_type: FailureType) -> Verdict:
    return Verdict(
        detector=DetectorInfo(name="d", version="1"), status=VerdictStatus.FAILED, reason="r", failure_type=failure_type
    )


@pytest.mark.parametrize("rank", range(len(PRECEDENCE)))
def test_the_first_failed_verdict_by_precedence_is_the_failure(rank: int) -> None:
    """Whatever the order of the detectors, timeout comes before exception, contract and grounding."""
    verdicts = [failed(kind) for kind in reversed(PRECEDENCE[rank:])]

    chosen = _first_failed(verdicts)

    assert chosen is not None
    assert chosen.failure_type is PRECEDENCE[rank]


def test_a_detector_that_raises_is_an_errored_verdict() -> None:
    """The others still answer, and nothing is a failure for it."""
    verdicts = ask(OBSERVATION, [Broken(), Broken()])

    assert [(verdict.status, verdict.reason, verdict.detector.version) for verdict in verdicts] == [
        (VerdictStatus.ERRORED, "The detector raised RuntimeError: no judgement today", "7")
    ] * 2


def test_grounding_is_never_judged_without_output_or_evidence() -> None:
    """It abstains for a subject that raised, and for one that has nothing to be judged by."""

    def grounding(subject: Any, value: Any, **options: Any) -> VerdictStatus:
        record = run_with_failure_detection(subject, value, **options)[1]
        return next(verdict.status for verdict in record.verdicts if verdict.detector.name == "grounding")

    assert grounding(zoo.complain, "Napoleon won in 1999", evidence=["nothing"]) is VerdictStatus.ABSTAINED
    assert grounding(zoo.no_input, None) is VerdictStatus.ABSTAINED


def test_an_evidence_function_that_raises_is_an_errored_verdict() -> None:
    """The evidence function is the user's code; its failure is not the subject's."""
    failure, record = run_with_failure_detection(zoo.no_input, None, evidence=lambda value: value["documents"])

    (verdict,) = [verdict for verdict in record.verdicts if verdict.detector.name == "grounding"]
    assert failure is None
    assert verdict.status is VerdictStatus.ERRORED
    assert "TypeError" in verdict.reason

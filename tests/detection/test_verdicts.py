"""Precedence of verdicts, and detectors that break."""

from typing import Any

import pytest
from pydantic import ValidationError
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


class Saying:
    """A detector that gives whatever it was built with."""

    name = "saying"
    version = "1"

    def __init__(self, said: Any) -> None:
        self._said = said

    def detect(self, observation: Observation) -> Any:
        if isinstance(self._said, BaseException):
            raise self._said
        return self._said


class Nameless(Saying):
    """A detector without a name of its own."""

    name = property(lambda self: 1 / 0)
    version = 7  # type: ignore[assignment]


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


INFO = DetectorInfo(name="d", version="1")


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        pytest.param(Saying(None), "gave NoneType, not a Verdict", id="none"),
        pytest.param(Saying({"status": "failed"}), "gave dict, not a Verdict", id="dict"),
        pytest.param(Saying(SystemExit(3)), "raised SystemExit: 3", id="exit"),
        pytest.param(Nameless(True), "gave bool, not a Verdict", id="nameless"),
        pytest.param(
            Saying(
                Verdict.model_construct(
                    detector=INFO, status=VerdictStatus.FAILED, reason="r", failure_type=None, evidence=()
                )
            ),
            "exactly when the status is failed",
            id="failed-without-a-type",
        ),
        pytest.param(
            Saying(Verdict(detector=INFO, status=VerdictStatus.PASSED, reason="\ud800")), "surrogates", id="unstorable"
        ),
    ],
)
def test_what_is_no_verdict_is_an_errored_one(detector: Any, reason: str) -> None:
    """Whatever a third party's detector gives, the record can be made and says so."""
    (verdict,) = ask(OBSERVATION, [detector])

    assert verdict.status is VerdictStatus.ERRORED
    assert reason in verdict.reason


def test_a_detector_s_interrupt_passes() -> None:
    """A KeyboardInterrupt is the person's at the keyboard."""
    with pytest.raises(KeyboardInterrupt):
        ask(OBSERVATION, [Saying(KeyboardInterrupt())])


@pytest.mark.parametrize(
    ("status", "failure_type"), [("failed", None), ("passed", "timeout"), ("abstained", "exception")]
)
def test_a_verdict_has_a_failure_type_exactly_when_it_failed(status: str, failure_type: str | None) -> None:
    """Neither a failure without a type nor a type without a failure can be built."""
    with pytest.raises(ValidationError, match="exactly when the status is failed"):
        Verdict(
            detector=INFO,
            status=VerdictStatus(status),
            reason="r",
            failure_type=FailureType(failure_type) if failure_type else None,
        )


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

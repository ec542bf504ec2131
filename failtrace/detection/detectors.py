"""Which detectors there are, and asking each of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from failtrace.capture.exceptions import describe_exception
from failtrace.capture.foreign_values import guarded, type_name
from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.contracts import DetectorInfo, Returned, Verdict, VerdictStatus
from failtrace.detection.contract import ContractDetector
from failtrace.detection.grounding.detector import DETECTOR, EvidenceText, context_text, judge, step_evidence
from failtrace.detection.observation import Detector, Observation
from failtrace.detection.termination import TerminationDetector

ENTRY_POINT_GROUP = "failtrace.detectors"
MAX_NAME = 200


class GroundingDetector:
    """Failed where the output claims what no evidence holds; see `failtrace.detection.grounding`."""

    name = DETECTOR.name
    version = DETECTOR.version

    def detect(self, observation: Observation) -> Verdict:
        """Abstains without an output or without evidence; never judges a failed execution."""
        if not isinstance(observation.outcome, Returned):
            return self._verdict(VerdictStatus.ABSTAINED, "The execution has no output to judge.")
        given = observation.evidence or {"texts": [], "cut": False}
        if "errored" in given:
            return self._verdict(VerdictStatus.ERRORED, given["errored"])
        evidence = [
            EvidenceText(text, f"evidence[{index}]", cut=given["cut"]) for index, text in enumerate(given["texts"])
        ]
        evidence.extend(step_evidence(observation.steps))
        return judge(observation.output, evidence, context_text(observation.input))

    @staticmethod
    def _verdict(status: VerdictStatus, reason: str) -> Verdict:
        return Verdict(detector=DETECTOR, status=status, reason=reason)


@cache
def detectors() -> tuple[Detector, ...]:
    """The built-in detectors and those of the entry point group `failtrace.detectors` (each a Detector class)."""
    return (TerminationDetector(), ContractDetector(), GroundingDetector(), *_third_party())


def _third_party() -> Iterable[Detector]:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            yield entry.load()()
        except KeyboardInterrupt:
            raise
        # Somebody else's module may raise anything; its detector then answers `errored` for every execution.
        except BaseException as error:  # noqa: BLE001
            yield _Unloadable(entry.name, _told(error))


class _Unloadable:
    """Stands for a detector that could not be loaded, so that its silence is seen in every record."""

    version = "0"

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    def detect(self, observation: Observation) -> Verdict:  # noqa: ARG002  the Protocol's
        return Verdict(
            detector=DetectorInfo(name=self.name, version=self.version),
            status=VerdictStatus.ERRORED,
            reason=f"The detector could not be loaded ({self._why}).",
        )


def ask(observation: Observation, among: Iterable[Detector] | None = None) -> tuple[Verdict, ...]:
    """A verdict of each detector."""
    return tuple(_ask_one(detector, observation) for detector in (detectors() if among is None else among))


def _ask_one(detector: Detector, observation: Observation) -> Verdict:
    """The detector's verdict, held against its contract: what it built may not be fit to store."""
    try:
        verdict: object = detector.detect(observation)
        if isinstance(verdict, Verdict):
            return Verdict.model_validate_json(verdict.model_dump_json(warnings=False))
        why = f"The detector gave {type_name(type(verdict))}, not a Verdict."
    except KeyboardInterrupt:
        raise
    # A detector that breaks must not take the record, or the others' verdicts, with it.
    except BaseException as error:  # noqa: BLE001
        why = f"The detector raised {_told(error)}"
    info = DetectorInfo(name=_named(detector, "name"), version=_named(detector, "version"))
    return Verdict(detector=info, status=VerdictStatus.ERRORED, reason=why)


def _named(detector: Detector, what: str) -> str:
    """The detector's name or version; its type where it does not say."""
    said = guarded(lambda it: getattr(it, what), detector)
    return sanitise_text(said, Marks(), MAX_NAME) if isinstance(said, str) else type_name(type(detector))


def _told(error: BaseException) -> str:
    described = describe_exception(error, Marks())
    return f"{described['type']}: {described['message']}"

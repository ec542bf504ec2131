"""One detector's answer about one execution."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from failtrace.contracts.base import Contract, Many
from failtrace.contracts.evidence import Evidence


class FailureType(StrEnum):
    """The closed list of what a failure can be."""

    VALIDATION_ERROR = "validation_error"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    HALLUCINATION_FLAG = "hallucination_flag"


PRECEDENCE = (
    FailureType.TIMEOUT,
    FailureType.EXCEPTION,
    FailureType.VALIDATION_ERROR,
    FailureType.HALLUCINATION_FLAG,
)
"""Of several failed verdicts, the first in this order is the failure."""


class VerdictStatus(StrEnum):
    """`abstained` is no opinion (nothing to judge by); `errored` is a detector that broke."""

    PASSED = "passed"
    FAILED = "failed"
    ABSTAINED = "abstained"
    ERRORED = "errored"


class DetectorInfo(Contract):
    """Which detector spoke, in which version."""

    name: str
    version: str


class Verdict(Contract):
    """A detector's answer, with its reason in one sentence and what it shows for it."""

    detector: DetectorInfo
    status: VerdictStatus
    reason: str
    failure_type: FailureType | None = None
    """Set exactly when the status is `failed`."""
    evidence: Many[Evidence] = ()

    @model_validator(mode="after")
    def _type_agrees(self) -> Self:
        if (self.status is VerdictStatus.FAILED) != (self.failure_type is not None):
            raise ValueError("failure_type must be set exactly when the status is failed")
        return self

"""The stored shapes, schema_version 1. They import each other and nothing else of failtrace."""

from failtrace.contracts.base import SCHEMA_VERSION, Contract, Json
from failtrace.contracts.error_info import ErrorInfo
from failtrace.contracts.evidence import ContractViolation, DeadlineExceeded, Evidence, UnsupportedClaim
from failtrace.contracts.failure_event import FailureEvent
from failtrace.contracts.outcome import Crashed, Outcome, Raised, Returned, TimedOut
from failtrace.contracts.termination import Termination
from failtrace.contracts.trace_record import (
    Completeness,
    Environment,
    LogLine,
    Logs,
    OutputTail,
    SubjectInfo,
    TraceRecord,
)
from failtrace.contracts.trace_step import Dropped, EndedBy, StepEvent, StepKind, StepStatus, TraceStep
from failtrace.contracts.verdict import PRECEDENCE, DetectorInfo, FailureType, Verdict, VerdictStatus

__all__ = [
    "PRECEDENCE",
    "SCHEMA_VERSION",
    "Completeness",
    "Contract",
    "ContractViolation",
    "Crashed",
    "DeadlineExceeded",
    "DetectorInfo",
    "Dropped",
    "EndedBy",
    "Environment",
    "ErrorInfo",
    "Evidence",
    "FailureEvent",
    "FailureType",
    "Json",
    "LogLine",
    "Logs",
    "Outcome",
    "OutputTail",
    "Raised",
    "Returned",
    "StepEvent",
    "StepKind",
    "StepStatus",
    "SubjectInfo",
    "Termination",
    "TimedOut",
    "TraceRecord",
    "TraceStep",
    "UnsupportedClaim",
    "Verdict",
    "VerdictStatus",
]

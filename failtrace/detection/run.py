"""`run_with_failure_detection`: one execution, from the call to its record."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import uuid6

from failtrace.capture.journal import JournalLines, Segment
from failtrace.capture.redaction import follow, redact_text
from failtrace.contracts import FailureEvent, TraceRecord
from failtrace.detection.assemble import assemble
from failtrace.errors import ExecutionError, FailtraceError, InputError, SubjectError
from failtrace.execution.inline import InlineExecutor
from failtrace.execution.process import ProcessExecutor
from failtrace.execution.request import ExecutionRequest, Executor, Isolation
from failtrace.settings import Settings
from failtrace.subjects.loading import resolve_subject
from failtrace.subjects.subject import EvidenceSource, Subject, check_timeout
from failtrace.tracing import export

_UNSET: Any = object()
MAX_RUN_ID = 200


@dataclass(frozen=True, slots=True)
class Execution:
    """A finished execution: its record, and the segment that must stay until the record is stored."""

    record: TraceRecord
    segment: Segment


def run_with_failure_detection(
    subject: Subject | str | Callable[..., Any],
    input: Any = None,  # noqa: A002  the contract's word
    *,
    timeout: float | None = None,
    output_model: Any = _UNSET,
    evidence: EvidenceSource | None = _UNSET,
    isolation: Isolation = "process",
    run_id: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> tuple[FailureEvent | None, TraceRecord]:
    """Run a subject on one input and tell whether, how and why it failed.

    `subject` is a Subject, a registered name, `module:attribute`, or any callable: sync, async or a generator.
    `timeout` is in seconds and overrides the subject's own, as do `output_model` (a pydantic model, a type, a JSON
    Schema) and `evidence` (texts, or a function of the input).

    Returns (failure, record); the failure is None where the execution passed. Never raises for what the subject does.
    Raises SubjectError where the subject cannot be found, loaded or sent to its process, InputError for an argument
    that cannot be used, and ExecutionError where failtrace itself could not carry the execution through.
    """
    resolved = with_overrides(resolve_subject(subject), timeout, output_model, evidence)
    settings = Settings.load()
    follow(settings)
    execution = execute(resolved, input, executor_for(isolation), settings, run_id=run_id, attributes=attributes or {})
    execution.segment.discard()
    return execution.record.failure, execution.record


def with_overrides(
    subject: Subject, timeout: float | None = None, output_model: Any = _UNSET, evidence: Any = _UNSET
) -> Subject:
    """The subject with the caller's own words in place of its own."""
    changes: dict[str, Any] = {}
    if timeout is not None:
        check_timeout(timeout, subject.name)
        changes["timeout"] = float(timeout)
    if output_model is not _UNSET:
        changes["output_model"] = output_model
    if evidence is not _UNSET:
        changes["evidence"] = evidence
    return replace(subject, **changes) if changes else subject


def executor_for(isolation: Isolation) -> Executor:
    """The executor of that name. Raises InputError for another word."""
    if isolation == "process":
        if not hasattr(os, "fork"):
            raise SubjectError("Cannot run in a process of its own: this platform has no fork; use isolation='inline'.")
        return ProcessExecutor()
    if isolation == "inline":
        return InlineExecutor()
    raise InputError(f"isolation is {isolation!r}; give 'process' or 'inline'.")


def execute(
    subject: Subject,
    value: Any,
    executor: Executor,
    settings: Settings,
    *,
    run_id: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Execution:
    """One execution and its segment, still locked: discard it once the record is stored."""
    check_run_id(run_id)
    request = ExecutionRequest(
        subject=subject,
        input=value,
        timeout=subject.timeout if subject.timeout is not None else settings.timeout_s,
        trace_id=new_trace_id(),
        failure_id=str(uuid6.uuid7()),
        run_id=run_id,
        attributes=attributes or {},
        journal=settings.journal_path,
    )
    segment = executor.execute(request)
    try:
        execution = Execution(assemble(_checked(segment.read(), subject)), segment)
    except SubjectError:
        segment.discard()
        raise
    except FailtraceError:
        segment.leave()
        raise
    # The last edge: whatever a hostile subject wrote into its journal, a sentence is raised and the segment stays.
    except Exception as error:
        segment.leave()
        raise ExecutionError(
            f"Cannot make a record of the execution {request.trace_id} of {subject.name!r} "
            f"({type(error).__name__}: {error!s:.200}); its journal is kept in {str(request.journal)!r}."
        ) from error
    export(execution.record)
    return execution


def _checked(journal: JournalLines, subject: Subject) -> JournalLines:
    """The lines of an execution that took place; what kept it from doing so is raised."""
    unloadable, broken = journal.first("unloadable"), journal.first("broken")
    if unloadable is not None:
        raise SubjectError(unloadable["message"])
    if broken is not None and journal.first("outcome") is None:
        raise ExecutionError(
            f"failtrace itself went wrong while it ran {subject.name!r}; please report this: {broken['message']}"
        )
    return journal


def check_run_id(run_id: str | None) -> None:
    """Raise InputError unless `run_id` is None or a printable text of reasonable length without a secret."""
    if run_id is not None and not (isinstance(run_id, str) and run_id.isprintable() and 0 < len(run_id) <= MAX_RUN_ID):
        raise InputError(f"The run_id is {run_id!r:.80}; give a printable text of 1 to {MAX_RUN_ID} characters.")
    if run_id is not None and redact_text(run_id)[1]:
        raise InputError("The run_id holds what looks like a secret; give the run an id without it.")


def new_trace_id() -> str:
    """16 random bytes as hex, never all zero, as OpenTelemetry wants it."""
    while (trace_id := os.urandom(16).hex()) == "0" * 32:
        pass
    return trace_id

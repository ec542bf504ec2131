"""Many executions: several at once, each stored as it ends."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uuid6

from failtrace.capture.redaction import follow, redact_sentence
from failtrace.codec import digest
from failtrace.contracts import TraceRecord
from failtrace.detection.run import Execution, check_run_id, execute, executor_for, with_overrides
from failtrace.errors import ExecutionError, FailtraceError, InputError
from failtrace.execution.process import ProcessExecutor
from failtrace.execution.request import Isolation
from failtrace.inputs import JsonLines
from failtrace.mirror.views import RunState
from failtrace.run_report import ExecutionResult, RunReport
from failtrace.settings import Settings
from failtrace.storage.trace_store import Receipt, TraceStore
from failtrace.subjects.loading import resolve_subject
from failtrace.subjects.subject import Subject

MAX_WORKERS = 256
BATCH = 100
"""Records that share one transaction at most."""
POLL_S = 0.25
"""How often a wish to stop is looked for."""

Job = tuple[Subject, Any]


@dataclass(slots=True)
class _Progress:
    """The moving parts of one run, shared by its threads."""

    jobs: Iterator[Job]
    ended: queue.Queue[Execution | str | None]
    """Executions as they end, sentences of what could not be done, and None for each worker that is through."""
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: int = 0
    running: int = 0
    """Jobs whose end is not yet in the queue."""

    def next_job(self) -> Job | None:
        """The next job; None when there is none or the run is to stop."""
        with self.lock:
            job = None if self.stop.is_set() else next(self.jobs, None)
            self.taken += job is not None
            self.running += job is not None
            return job

    def job_ended(self, with_what: Execution | str) -> None:
        """Hand an execution, or why there is none, to the thread that stores."""
        self.ended.put(with_what)
        with self.lock:
            self.running -= 1


class Runner:
    """Runs subjects on inputs and stores every record.

    `progress` is called in the caller's thread with each ExecutionResult as it ends; `should_stop` is asked several
    times a second and stops the run as a Ctrl-C does. At the end it waits up to `flush_s` seconds until the failures
    have reached the store.
    """

    def __init__(
        self,
        store: TraceStore,
        *,
        workers: int = 4,
        timeout: float | None = None,
        isolation: Isolation = "process",
        progress: Callable[[ExecutionResult], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        settings: Settings | None = None,
        flush_s: float = 10.0,
    ) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= MAX_WORKERS:
            raise InputError(f"workers is {workers!r}; give a whole number from 1 to {MAX_WORKERS}.")
        self._store = store
        self._workers = workers
        self._timeout = timeout
        self._isolation = isolation
        self._progress = progress or (lambda _: None)
        self._should_stop = should_stop or (lambda: False)
        self._settings = settings or Settings.load()
        follow(self._settings)
        self._flush_s = flush_s
        self._by = self._settings.acting_for

    def run(
        self,
        subjects: Sequence[Subject | str | Callable[..., Any]],
        inputs: Iterable[Any] | None = None,
        *,
        run_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> RunReport:
        """Run every subject on every input; without inputs each on its own examples, or once on None.

        A Ctrl-C stops it cleanly: what had ended is stored, the rest is counted as not run, and the report says
        `cancelled`. Raises SubjectError for a subject that cannot be found, StoreError where records cannot be
        stored (they stay in the journal, and the next start takes them up).
        """
        check_run_id(run_id)
        resolved = [with_overrides(resolve_subject(subject), self._timeout) for subject in subjects]
        run = _Run(self, resolved, inputs, run_id or str(uuid6.uuid7()), attributes or {})
        return run.carry_out()


class _Run:
    """One run of a Runner."""

    def __init__(
        self,
        runner: Runner,
        subjects: list[Subject],
        inputs: Iterable[Any] | None,
        run_id: str,
        attributes: Mapping[str, Any],
    ) -> None:
        self._runner = runner
        self._traces = runner._store
        self._subjects = subjects
        self._inputs = inputs
        self._run_id = run_id
        self._attributes = attributes
        self._executor = executor_for(runner._isolation)
        self._progress = _Progress(_jobs(subjects, inputs), queue.Queue(maxsize=BATCH + runner._workers))
        self._results: list[ExecutionResult] = []
        self._problems: dict[str, int] = {}
        self._errored = 0
        self._can_store = True
        self._threads: list[threading.Thread] = []

    def carry_out(self) -> RunReport:
        """From the first execution to the report."""
        started_at, start = datetime.now(UTC), time.monotonic()
        planned = planned_executions(self._subjects, self._inputs)
        self._traces.mirror.start_run(
            self._run_id,
            subjects=tuple(redact_sentence(subject.name) for subject in self._subjects),
            planned=planned,
            pid=os.getpid(),
            at=started_at,
            by=self._runner._by,
        )
        state: RunState = "interrupted"
        try:
            state = self._run_jobs()
        finally:
            # Whatever broke the run off, a progress callback or the mirror: it is no longer running.
            not_run = self._not_run(planned)
            self._finish(state, not_run, planned)
        pending = self._traces.flush(timeout=self._runner._flush_s).pending
        return RunReport(
            run_id=self._run_id,
            state=state,
            started_at=started_at,
            elapsed_s=time.monotonic() - start,
            results=tuple(self._results),
            not_run=not_run,
            errored=self._errored,
            pending=pending,
            pending_why=self._traces.why_pending() if pending else "",
            problems=tuple(redact_sentence(_counted(sentence, times)) for sentence, times in self._problems.items()),
        )

    def _run_jobs(self) -> RunState:
        state: RunState = "finished"
        try:
            self._start_threads()
            if self._collect_until_done():
                state = "cancelled"
        except KeyboardInterrupt:
            state = "cancelled"
        finally:
            self._wind_down()
        return state

    def _finish(self, state: RunState, not_run: int, planned: int | None) -> None:
        if planned is None:
            # A stream tells only at its end how much was asked for.
            self._traces.mirror.set_planned(self._run_id, self._progress.taken)
        bad_lines = self._inputs.bad_lines if isinstance(self._inputs, JsonLines) else 0
        self._traces.mirror.finish_run(
            self._run_id,
            state=state,
            not_run=not_run,
            bad_lines=bad_lines,
            at=datetime.now(UTC),
            by=self._runner._by,
        )

    def _start_threads(self) -> None:
        for number in range(self._runner._workers):
            thread = threading.Thread(target=self._work, name=f"failtrace-worker-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self) -> None:
        """One worker: executions one after another."""
        progress = self._progress
        while (job := self._next_job()) is not None:
            progress.job_ended(self._execute(*job))
        progress.ended.put(None)

    def _next_job(self) -> Job | None:
        try:
            return self._progress.next_job()
        # The inputs are an iterator of the caller's: what it raises ends the run with a sentence, not in silence.
        except Exception as error:  # noqa: BLE001
            self._progress.stop.set()
            self._problems[f"The inputs ended early: {type(error).__name__}: {error}."] = 1
            return None

    def _execute(self, subject: Subject, value: Any) -> Execution | str:
        """The execution, or the sentence that says why there is none; empty where the run was stopped meanwhile."""
        try:
            return execute(
                subject,
                value,
                self._executor,
                self._runner._settings,
                run_id=self._run_id,
                attributes=self._attributes,
            )
        except FailtraceError as error:
            return "" if self._progress.stop.is_set() and isinstance(error, ExecutionError) else str(error)
        # An error of ours that nobody foresaw: the worker must live, for the run waits for each of its jobs.
        except Exception as error:  # noqa: BLE001
            return (
                f"failtrace itself went wrong with {subject.name!r} ({type(error).__name__}: {error}); "
                "please report this."
            )

    def _collect_until_done(self) -> bool:
        """Store executions as they end; True where the run was asked to stop first."""
        waiting = len(self._threads)
        while waiting:
            if self._runner._should_stop():
                return True
            batch = self._next_batch()
            waiting -= batch.count(None)
            self._store_batch(batch)
        return False

    def _next_batch(self) -> list[Execution | str | None]:
        """What has ended, at least one thing unless POLL_S passes first."""
        ended = self._progress.ended
        batch: list[Execution | str | None] = []
        try:
            batch.append(ended.get(timeout=POLL_S))
            while len(batch) < BATCH:
                batch.append(ended.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _store_batch(self, batch: Iterable[Execution | str | None]) -> None:
        """Store what ended, discard the segments, count; only then tell the caller, who may raise."""
        items = list(batch)
        for sentence in (item for item in items if isinstance(item, str) and item):
            self._problems[sentence] = self._problems.get(sentence, 0) + 1
            self._errored += 1
        executions = [item for item in items if isinstance(item, Execution)]
        if not executions:
            return
        results = self._store(executions)
        self._results.extend(results)
        for result in results:
            self._runner._progress(result)

    def _store(self, executions: Sequence[Execution]) -> list[ExecutionResult]:
        """Raises StoreError where they cannot be stored; their segments stay, and the next start recovers them."""
        try:
            if not self._can_store:
                return []
            self._can_store = False
            receipts = self._traces.store_traces([execution.record for execution in executions])
            self._can_store = True
            return [
                self._result(execution.record, receipt) for execution, receipt in zip(executions, receipts, strict=True)
            ]
        finally:
            for execution in executions:
                execution.segment.discard() if self._can_store else execution.segment.leave()

    def _result(self, record: TraceRecord, receipt: Receipt) -> ExecutionResult:
        failure = record.failure
        return ExecutionResult(
            trace_id=record.trace_id,
            failure_id=record.failure_id,
            subject=record.subject.name,
            outcome=record.outcome.kind,
            failure_type=failure.failure_type if failure else None,
            message=failure.message if failure else "",
            duration_ms=record.duration_ms,
            stored=self._is_stored(record, receipt),
        )

    def _is_stored(self, record: TraceRecord, receipt: Receipt) -> bool:
        """Whether the mirror holds the record under its id, and a failure's very bytes; the store gives it too."""
        held = self._traces.mirror.identity(record.trace_id)
        if held is None or held.sha256 != receipt.sha256 or held.failure_id != record.failure_id:
            return False
        if record.failure_id is None:
            return True
        body = self._traces.mirror.record(record.failure_id)
        return (
            body is not None and digest(body) == receipt.sha256 and self._traces.get_trace(record.failure_id) == record
        )

    def _wind_down(self) -> None:
        """End what still runs, and store what had ended. A worker that waits for an input is not waited for."""
        self._progress.stop.set()
        if self._progress.running and isinstance(self._executor, ProcessExecutor):
            self._executor.abort()
        while self._progress.running:
            self._store_batch(self._next_batch())
        while batch := self._drain():
            self._store_batch(batch)

    def _drain(self) -> list[Execution | str | None]:
        left: list[Execution | str | None] = []
        while not self._progress.ended.empty():
            left.append(self._progress.ended.get_nowait())
        return left

    def _not_run(self, planned: int | None) -> int:
        """Asked for and never ended. Of a stream of unknown length, what was already taken from it."""
        ended = len(self._results) + self._errored
        if planned is None:
            return max(0, self._progress.taken - ended)
        skipped = self._inputs.bad_lines * len(self._subjects) if isinstance(self._inputs, JsonLines) else 0
        return max(0, planned - skipped - ended)


def _jobs(subjects: Sequence[Subject], inputs: Iterable[Any] | None) -> Iterator[Job]:
    if inputs is None:
        return ((subject, value) for subject in subjects for value in subject.example_inputs or (None,))
    return ((subject, value) for value in inputs for subject in subjects)


def planned_executions(subjects: Sequence[Subject], inputs: Iterable[Any] | None) -> int | None:
    """How many executions a run of these comes to; None for inputs of unknown number."""
    if inputs is None:
        return sum(len(subject.example_inputs or (None,)) for subject in subjects)
    if isinstance(inputs, JsonLines):
        return None if inputs.line_count is None else inputs.line_count * len(subjects)
    return len(inputs) * len(subjects) if isinstance(inputs, Sized) else None


def _counted(sentence: str, times: int) -> str:
    return sentence if times == 1 else f"{sentence} ({times} times)"

"""Many executions: order of ending, inputs as a stream, clean stops, nothing lost."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import zoo

from failtrace import Runner, Subject, TraceStore
from failtrace.capture.journal import segments
from failtrace.contracts import FailureType
from failtrace.errors import InputError, StoreError, SubjectError
from failtrace.inputs import JsonLines
from failtrace.recover import recover
from failtrace.run_report import ExecutionResult
from failtrace.settings import Settings


@pytest.fixture
def store() -> Iterator[TraceStore]:
    with TraceStore.open("memory") as opened:
        yield opened


def wait_for(path: str) -> str:
    """Returns what somebody writes into the FIFO at `path`."""
    return Path(path).read_text()


def test_every_execution_is_stored_and_counted(store: TraceStore) -> None:
    """Results are the executions, each read back by its id; the mirror and the report agree."""
    seen: list[ExecutionResult] = []
    report = Runner(store, workers=3, progress=seen.append).run(
        [zoo.double, "support.zoo:complain"], inputs=[1, 2, 3], run_id="run-1"
    )

    assert (report.state, report.executions, report.passed, report.failed, report.stored) == ("finished", 6, 3, 3, 6)
    assert report.by_type == {FailureType.EXCEPTION: 3}
    assert (report.not_run, report.pending, report.problems) == (0, 0, ())
    assert tuple(seen) == report.results
    run = store.mirror.run("run-1")
    assert run is not None
    assert (run.state, run.planned, run.passed, run.failed) == ("finished", 6, 3, 3)
    for result in report.results:
        record = store.get_trace(result.failure_id or result.trace_id)
        assert record is not None
        assert (record.trace_id, record.run_id) == (result.trace_id, "run-1")
    assert list(segments(Settings.load().journal_path)) == []


def test_results_come_in_the_order_of_ending(store: TraceStore, tmp_path: Path) -> None:
    """An execution that waits for the others ends after them and does not hold them."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def opened_by_the_last(result: ExecutionResult) -> None:
        if result.subject == "support.zoo:double":
            fifo.write_text("go on")

    report = Runner(store, workers=2, progress=opened_by_the_last).run([wait_for, zoo.double], inputs=[str(fifo)])

    assert [result.subject for result in report.results] == ["support.zoo:double", "test_runner:wait_for"]


def test_bad_lines_are_named_and_skipped(store: TraceStore, tmp_path: Path) -> None:
    """Inputs from JSON lines are a stream; what is no JSON is reported by its number."""
    file = tmp_path / "inputs.jsonl"
    file.write_bytes(b'1\n\n{"broken\n2\nNaN\n\xff\xfe\n[3]\n')
    lines = JsonLines(file)

    report = Runner(store).run([zoo.double], inputs=lines)

    assert sorted(result.outcome for result in report.results) == ["returned"] * 3
    assert lines.bad_lines == 3
    assert [problem.split(" is ")[0] for problem in lines.problems] == [
        f"Line {number} of {str(file)!r}" for number in (3, 5, 6)
    ]
    assert (report.not_run, store.mirror.runs().rows[0].bad_lines) == (0, 3)


def test_a_stop_records_what_ended_and_counts_the_rest(store: TraceStore) -> None:
    """After a stop the finished executions are stored, the running ones are ended, the rest is not run."""
    stop = threading.Event()
    runner = Runner(store, workers=2, progress=lambda _: stop.set(), should_stop=stop.is_set)

    report = runner.run([zoo.double, zoo.ignore_sigterm], inputs=[1, 2, 3, 4, 5], run_id="stopped")

    assert report.state == "cancelled"
    assert report.executions >= 1
    assert report.executions + report.not_run == 10
    assert {result.subject for result in report.results} <= {"support.zoo:double"}
    assert [store.get_trace(result.trace_id) is not None for result in report.results] == [True] * report.executions
    run = store.mirror.run("stopped")
    assert run is not None
    assert (run.state, run.not_run, run.passed) == ("cancelled", report.not_run, report.executions)
    assert list(segments(Settings.load().journal_path)) == []


def test_a_keyboard_interrupt_is_a_clean_stop(store: TraceStore) -> None:
    """A Ctrl-C in the caller's thread ends the run with a report, as a stop does."""

    seen: list[ExecutionResult] = []

    def interrupt_once(result: ExecutionResult) -> None:
        seen.append(result)
        if len(seen) == 1:
            raise KeyboardInterrupt

    report = Runner(store, workers=1, progress=interrupt_once).run([zoo.double], inputs=[1, 2, 3])

    assert (report.state, report.executions + report.not_run) == ("cancelled", 3)
    assert [result.trace_id for result in seen] == [result.trace_id for result in report.results][: len(seen)]
    assert sorted(row.trace_id for row in store.mirror.executions().rows) == sorted(
        result.trace_id for result in report.results
    )


def test_inputs_that_raise_end_the_run_with_a_sentence(store: TraceStore) -> None:
    """An iterator of the caller's that breaks is a problem of the run, with what had run kept."""

    def inputs() -> Iterator[int]:
        yield 1
        raise OSError("the queue is gone")

    report = Runner(store, workers=1).run([zoo.double], inputs=inputs())

    assert report.executions == 1
    assert store.mirror.runs().rows[0].planned == 1
    assert report.problems == ("The inputs ended early: OSError: the queue is gone.",)


def test_what_cannot_be_stored_stays_in_the_journal(tmp_path: Path) -> None:
    """When the mirror takes nothing, the run says so, and the next start takes the records up."""
    settings = Settings.load()
    store = TraceStore.open("memory")

    def inputs() -> Iterator[str]:
        for file in settings.home.glob("mirror.sqlite*"):
            file.unlink()
        settings.mirror_path.write_text("this is no database")
        yield "x"

    with pytest.raises(StoreError):
        Runner(store, workers=1).run([zoo.complain], inputs())
    store.close()
    settings.mirror_path.unlink()
    with TraceStore.open("memory") as mended:
        recovery = recover(settings.journal_path, mended)
        failures = mended.mirror.failures().rows

    assert recovery.records == len(failures) == 1


@pytest.mark.parametrize("workers", [0, -1, 1000, 1.5, True], ids=repr)
def test_workers_that_cannot_be_are_refused(store: TraceStore, workers: Any) -> None:
    """The number of workers is a whole number within bounds."""
    with pytest.raises(InputError, match="workers is"):
        Runner(store, workers=workers)


def test_an_unknown_subject_stops_nothing_half_way(store: TraceStore) -> None:
    """Every subject is found before the first one runs."""
    with pytest.raises(SubjectError):
        Runner(store).run([zoo.double, "nobody"], inputs=[1])
    assert store.mirror.runs().rows == ()


def test_a_progress_callback_that_raises_ends_the_run_not_the_records(store: TraceStore) -> None:
    """The caller gets the exception, the mirror what had run, and the run is marked as interrupted."""

    def break_pipe(_: ExecutionResult) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Runner(store, workers=1, progress=break_pipe).run([zoo.double], inputs=[1], run_id="broken off")

    run = store.mirror.run("broken off")
    assert run is not None
    assert (run.state, run.passed) == ("interrupted", 1)


def test_a_blocked_input_does_not_hold_a_stop(store: TraceStore) -> None:
    """A stop while the inputs have nothing to give ends the run at once; nobody waits for the next input."""
    never = threading.Event()

    def inputs() -> Iterator[int]:
        yield 1
        never.wait()

    seen: list[ExecutionResult] = []
    report = Runner(store, workers=1, progress=seen.append, should_stop=lambda: bool(seen)).run([zoo.double], inputs())
    never.set()

    assert (report.state, report.executions, report.not_run) == ("cancelled", 1, 0)


def test_what_failtrace_cannot_carry_out_is_no_failure(store: TraceStore) -> None:
    """An input that cannot be sent is counted apart, with a sentence."""
    report = Runner(store, workers=1).run([zoo.double], inputs=[threading.Lock(), 2])

    assert (report.passed, report.failed, report.errored, report.not_run) == (1, 0, 1, 0)
    assert len(report.problems) == 1
    assert "Cannot send" in report.problems[0]


@pytest.mark.parametrize("run_id", ["", "x" * 201, "\ud800", "a\nb", 5, "nightly-password=hunter" + "22"], ids=ascii)
def test_a_run_id_that_cannot_be_is_refused(store: TraceStore, run_id: Any) -> None:
    """A run id is a printable text, for people read it in lists; with a secret in it they would read that."""
    with pytest.raises(InputError, match="run_id") as refused:
        Runner(store).run([zoo.double], inputs=[1], run_id=run_id)
    assert "hunter" not in str(refused.value)


def test_a_secret_in_a_name_is_nowhere(store: TraceStore) -> None:
    """Neither in the run's own row nor in its records."""
    key = "gh" + "p_aB3dE5gH7jK9mN1pQ2sT4vW6xY8z01234567"

    report = Runner(store).run(
        [Subject(name=f"call-{key}", function=zoo.double, source="support.zoo:double")], inputs=[1]
    )

    assert report.executions == 1
    (run,) = store.mirror.runs().rows
    (execution,) = store.mirror.executions().rows
    assert run.subjects == (execution.subject,) == ("call-[redacted:github]",)


def test_an_unforeseen_error_of_ours_does_not_hang_the_run(store: TraceStore) -> None:
    """A worker that meets an error of failtrace's own says so and goes on with the next job."""
    runner = Runner(store, workers=1)
    runner._settings = None  # type: ignore[assignment]  whatever is wrong inside, the run must end

    report = runner.run([zoo.double], inputs=[1, 2])

    assert (report.executions, report.errored) == (0, 2)
    assert report.problems[0].startswith("failtrace itself went wrong with 'support.zoo:double' (AttributeError")

"""A fresh process for each execution: whatever the subject does to it, the host and the record are well."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import zoo

from failtrace import run_with_failure_detection
from failtrace.contracts import Crashed, EndedBy, FailureType, TimedOut, TraceRecord
from failtrace.detection.run import execute
from failtrace.errors import ExecutionError, SubjectError
from failtrace.execution.forkserver import forkserver
from failtrace.execution.process import ProcessExecutor
from failtrace.settings import Settings
from failtrace.subjects.loading import resolve_subject


def run(subject: Any, value: Any = None, **options: Any) -> TraceRecord:
    return run_with_failure_detection(subject, value, **options)[1]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGKILL, "SIGKILL"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGABRT, "SIGABRT"),
        (signal.SIGSEGV, "SIGSEGV"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_death_by_signal_is_data(number: int, name: str) -> None:
    """A process that a signal ended is an exception whose termination names the signal and the open step."""
    record = run(zoo.kill_itself, int(number))

    assert isinstance(record.outcome, Crashed)
    assert record.failure is not None
    end = record.outcome.termination
    (step,) = record.steps
    assert (end.signal, end.exit_code, end.last_open_step_id) == (name, None, step.step_id)
    assert (record.failure.failure_type, record.failure.step_id) == (FailureType.EXCEPTION, step.step_id)
    assert step.ended_by is EndedBy.PROCESS_DEATH
    assert end.peak_rss_bytes is not None
    assert end.peak_rss_bytes > 1_000_000


@pytest.mark.parametrize(
    "subject",
    [zoo.ignore_sigterm, zoo.print_for_ever, zoo.swallow_cancellation, zoo.block_the_loop],
    ids=lambda subject: subject.__name__,
)
def test_the_deadline_ends_anything(subject: Callable[[Any], Any]) -> None:
    """Past its deadline a subject is a timeout with the stacks of that moment, whatever it does against it."""
    record = run(subject, timeout=0.3)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced
    assert record.failure is not None
    assert record.failure.failure_type is FailureType.TIMEOUT
    assert subject.__name__ in record.outcome.stacks
    assert len(record.logs.stdout.text) <= 64 * 1024


@pytest.mark.parametrize("subject", [zoo.leave_a_family, zoo.hang_with_a_family], ids=["returns", "hangs"])
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux lets a process adopt its orphans")
def test_no_descendant_outlives_the_execution(subject: Any, tmp_path: Path) -> None:
    """Children and grandchildren are gone with the subject, those in sessions of their own too."""
    pids = tmp_path / "pids"

    run(subject, str(pids), timeout=1.0)

    family = [int(line) for line in pids.read_text().split()]
    assert len(family) == 2
    assert [pid for pid in family if is_alive(pid)] == []


def test_a_subject_s_surroundings_are_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Directory, environment and path come from the caller, and what the subject does to them stays with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO", "open")

    inside = run(lambda _: (str(Path.cwd()), os.environ["ZOO"])).output
    wandered = run(zoo.wander).output

    assert inside == [str(tmp_path), "open"]
    assert wandered == "/"
    assert Path.cwd() == tmp_path
    assert "FAILTRACE_WANDERED" not in os.environ


def test_output_streams_are_in_the_record_only(capfd: pytest.CaptureFixture[str]) -> None:
    """What a subject prints is in its record and not on the host's terminal, also when it closes stdout."""
    record = run(zoo.print_and_close, "hello")

    assert (record.failure, record.output) == (None, "closed")
    assert (record.logs.stdout.text, record.logs.stderr.text) == ("hello\n", "to stderr\n")
    assert capfd.readouterr() == ("", "")


def test_stdin_is_empty() -> None:
    """A subject that reads stdin meets its end at once."""
    assert run(zoo.read_stdin, timeout=5).output == ""


def test_a_forked_child_of_the_subject_has_no_outcome() -> None:
    """A subject that forks gives one record, the parent's."""
    record = run(zoo.fork_and_return)

    assert (record.failure, record.output, len(record.steps)) == (None, "parent", 1)


def test_a_thread_left_behind_does_not_hold_the_execution() -> None:
    """The execution ends when the subject returns."""
    record = run(zoo.thread_left_behind, timeout=20)

    assert (record.failure, record.output) == (None, "returned")


def test_a_subject_that_kills_its_supervisor_is_recorded() -> None:
    """The record is built from the journal; the next execution gets another supervisor."""
    record = run(zoo.kill_supervisor)

    assert isinstance(record.outcome, Crashed)
    assert record.outcome.termination.last_open_step_id == record.steps[0].step_id
    assert run(zoo.double, 2).output == 4


def test_nothing_is_left_in_the_journal() -> None:
    """Once the record is handed over, its segment is gone."""
    run(zoo.double, 1)
    run(zoo.kill_itself, int(signal.SIGKILL))

    assert list(Settings.load().journal_path.iterdir()) == []


def test_an_aborted_execution_leaves_no_process(tmp_path: Path) -> None:
    """Giving an execution up ends its process and its segment, and raises."""
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    executor = ProcessExecutor()
    raised: list[BaseException] = []

    def in_thread() -> None:
        try:
            execute(resolve_subject(zoo.sleep_until_killed), str(pid_file), executor, Settings.load())
        except ExecutionError as error:
            raised.append(error)

    thread = threading.Thread(target=in_thread)
    thread.start()
    pid = int(pid_file.read_text())
    executor.abort()
    thread.join()

    assert not is_alive(pid)
    assert "given up" in str(raised[0])
    assert list(Settings.load().journal_path.iterdir()) == []


def test_a_module_that_cannot_be_preloaded_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that starts a thread on import is not forked from, and its subject runs all the same."""
    (tmp_path / "threaded_module.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "def answer(_): return 42\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    assert run("threaded_module:answer").output == 42
    assert "threaded_module" in forkserver()._unfit


@pytest.mark.parametrize(
    ("value", "hint"),
    [pytest.param(threading.Lock(), "pickle", id="input"), pytest.param((i for i in ()), "pickle", id="generator")],
)
def test_what_cannot_be_sent_is_one_sentence(value: Any, hint: str) -> None:
    """An input that no other process can have is refused before anything runs."""
    with pytest.raises(SubjectError, match=rf"Cannot send .*{hint}.*inline"):
        run_with_failure_detection(zoo.double, value)


def test_a_module_missing_in_the_process_is_no_failure_of_the_subject() -> None:
    """A subject that only the host can load is refused with a sentence."""

    class Ghost:
        def __reduce__(self) -> Any:
            return (__import__, ("no_such_module_anywhere",))

    with pytest.raises(SubjectError, match="no_such_module_anywhere"):
        run_with_failure_detection(zoo.double, Ghost())

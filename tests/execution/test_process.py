"""A fresh process for each execution: whatever the subject does to it, the host and the record are well."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import zoo

from failtrace import Subject, run_with_failure_detection
from failtrace.contracts import Crashed, EndedBy, FailureType, TimedOut, TraceRecord
from failtrace.detection.run import execute
from failtrace.errors import ExecutionError, SubjectError
from failtrace.execution.process import ProcessExecutor
from failtrace.execution.supervisor import DRAIN_BYTES, TAIL_BYTES, TAIL_SLACK, Tail
from failtrace.settings import Settings
from failtrace.subjects.loading import resolve_subject

linux = pytest.mark.skipif(sys.platform != "linux", reason="done on Linux: limits, and the adoption of orphans")


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
@linux
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


def test_giving_up_keeps_what_had_ended() -> None:
    """An execution whose answer is here is kept, and its supervisor, hung up on, is not used again."""

    class GivenUpTooLate(ProcessExecutor):
        def _ask(self, *arguments: Any) -> Any:
            answer = super()._ask(*arguments)
            self.abort()
            return answer

    executor = GivenUpTooLate()
    execution = execute(resolve_subject(zoo.double), 2, executor, Settings.load())
    execution.segment.discard()

    assert (execution.record.output, execution.record.failure) == (4, None)
    with pytest.raises(ExecutionError, match="given up"):
        execute(resolve_subject(zoo.double), 2, executor, Settings.load())
    assert run(zoo.double, 3).output == 6


@linux
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_subject_that_turns_on_its_supervisor_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """Stopped, the supervisor is woken at the deadline; killed, it is stood in for: nothing is left of either."""
    pid_file = tmp_path / "pid"
    record = run(zoo.turn_on_supervisor, (int(number), str(pid_file)), timeout=1)

    assert isinstance(record.outcome, TimedOut if number == signal.SIGSTOP else Crashed)
    assert record.outcome.termination is not None
    assert record.outcome.termination.last_open_step_id == record.steps[0].step_id
    assert not is_alive(int(pid_file.read_text()))
    assert run(zoo.double, 2).output == 4


@linux
def test_a_supervisor_that_cannot_be_woken_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all below it; the host says in its place that the deadline ended the subject."""
    monkeypatch.setattr("failtrace.execution.process.ABORT_LIMIT_S", 0.5)
    pid_file = tmp_path / "pid"
    record = run(zoo.keep_stopping_supervisor, str(pid_file), timeout=1)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced
    assert [step.ended_by for step in record.steps] == [EndedBy.TIMEOUT]
    assert not is_alive(int(pid_file.read_text()))
    assert run(zoo.double, 2).output == 4


def test_a_pipe_in_place_of_the_journal_holds_nobody_up() -> None:
    """The host goes by the file that it has open, whatever stands under its name."""
    record = run(zoo.put_a_pipe_in_place_of_the_journal, str(Settings.load().journal_path))

    assert isinstance(record.outcome, Crashed)


@linux
def test_running_out_of_memory_is_a_memory_error() -> None:
    """With no byte left, by many small objects, there is still a record that says so."""
    subject = Subject(name="hoarder", function=zoo.exhaust_memory, source="support.zoo:exhaust_memory",
                      memory_limit_bytes=64 << 20)  # fmt: skip
    record = run(subject, timeout=60)

    assert record.failure is not None
    assert record.failure.error is not None
    assert (record.failure.error.type, record.outcome.kind) == ("MemoryError", "raised")


@pytest.mark.parametrize("highest", [256, 1 << 16], ids=["low", "all"])
def test_a_subject_may_close_every_descriptor(tmp_path: Path, highest: int) -> None:
    """Its steps and its outcome reach the record all the same, and nothing of ours its files."""
    mine = tmp_path / "mine"
    record = run(zoo.close_descriptors, (str(mine), highest))

    assert (record.failure, record.output) == (None, "closed, then opened 20")
    assert [(step.name, step.ended_by) for step in record.steps] == [("after", EndedBy.ITSELF)]
    assert mine.read_text() == "the subject's own"


def test_a_deadline_is_one_without_a_descriptor_to_tell_it() -> None:
    """Whoever closes all and hangs has timed out, and the record says that there are no stacks."""
    record = run(zoo.close_descriptors_and_hang, timeout=1)

    assert isinstance(record.outcome, TimedOut)
    assert record.failure is not None
    assert (record.outcome.stacks, record.failure.failure_type) == ("", FailureType.TIMEOUT)
    assert record.failure.message == (
        "Ended at its limit of 1 s; its stacks could not be written. The open step was 'closed'."
    )
    assert [step.ended_by for step in record.steps] == [EndedBy.TIMEOUT]


def test_an_exit_by_itself_is_no_deadline() -> None:
    """Leaving with the watchdog's exit code before the limit is a crash with that code."""
    record = run(lambda _: os._exit(1), timeout=60)

    assert isinstance(record.outcome, Crashed)
    assert record.outcome.termination.exit_code == 1


def test_a_subject_may_replace_every_descriptor(tmp_path: Path) -> None:
    """No line of the journal lands in a file that the subject put in its place."""
    mine = tmp_path / "mine"
    record = run(zoo.replace_descriptors, str(mine))

    assert (record.failure, record.output, len(record.steps)) == (None, "replaced", 1)
    assert mine.read_text() == ""


def test_a_subject_inherits_its_streams_only() -> None:
    """Of what the host, the supervisor and failtrace have open, the subject's own programs get nothing."""
    assert run(zoo.open_descriptors).output == {"low": [0, 1, 2], "inherited": [0, 1, 2]}


def test_a_flood_does_not_hold_the_supervisor() -> None:
    """A stream that never pauses is read by measure."""
    flood = os.open("/dev/zero", os.O_RDONLY)
    tail = Tail(flood)

    assert tail.drain() is True
    assert (tail.total, len(tail.chunks)) == (DRAIN_BYTES, TAIL_BYTES + TAIL_SLACK)
    os.close(flood)


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


def test_a_child_that_leaves_the_subject_ends_there() -> None:
    """A fork of the subject that raises does not hang, and is no outcome."""
    record = run(zoo.fork_and_raise, timeout=20)

    assert (record.failure, record.output) == (None, "parent")


def test_a_subject_s_clocks_are_its_own() -> None:
    """A subject that replaces the clocks of the time module does not change what is measured."""
    record = run(zoo.patch_the_clocks)

    assert (record.failure, record.output) == (None, "patched")
    assert record.ended_at >= record.started_at
    assert record.duration_ms >= 0


def test_exit_functions_have_their_turn(tmp_path: Path) -> None:
    """What a subject registered with atexit runs when its process ends."""
    left = tmp_path / "left"

    run(zoo.leave_an_exit_function, str(left))

    assert left.read_text() == "left well"


def test_the_longest_timeout_is_a_timeout() -> None:
    """A limit of weeks does not break whoever waits for it."""
    assert run(zoo.double, 2, timeout=30 * 24 * 3600.0).output == 4


def test_an_input_of_the_main_module_travels_by_value(tmp_path: Path) -> None:
    """A registered subject takes an input whose class lives in `__main__`, which no process imports again."""
    script = tmp_path / "host.py"
    script.write_text(
        "print('imported')\n"
        "from failtrace import run_with_failure_detection\n"
        "class Question:\n"
        "    text = 'why'\n"
        "if __name__ == '__main__':\n"
        "    failure, record = run_with_failure_detection('support.zoo:text_of', Question())\n"
        "    print(failure, record.output, record.logs.stdout.text)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}

    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60)

    assert done.stdout == "imported\nNone why \n"

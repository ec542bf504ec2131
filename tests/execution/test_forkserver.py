"""The template and its supervisors: what a subject's module, the host or the platform does to them is no failure."""

import importlib
import os
import resource
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import zoo

from failtrace import run_with_failure_detection
from failtrace.contracts import Crashed, TimedOut
from failtrace.detection.run import execute
from failtrace.errors import ExecutionError, SubjectError
from failtrace.execution.forkserver import forkserver
from failtrace.execution.process import ProcessExecutor
from failtrace.settings import Settings
from failtrace.subjects.loading import resolve_subject

MODULE = "zoo_module"
Write = Callable[..., str]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module whose `answer` gives a number, with code that runs where it is imported next, not in this
    process; gives the subject's name. The template begins and ends with the test."""

    def write(elsewhere: str = "pass", *, number: int = 42) -> str:
        monkeypatch.delenv("ZOO_ELSEWHERE", raising=False)
        code = textwrap.indent(textwrap.dedent(elsewhere), "    ")
        path = tmp_path / f"{MODULE}.py"
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(
            f"import os\nif os.environ.get('ZOO_ELSEWHERE'):\n{code}\n\ndef answer(_):\n    return {number}\n"
        )
        os.utime(path, ns=(before + 10**10, before + 10**10))
        importlib.reload(sys.modules[MODULE]) if MODULE in sys.modules else importlib.import_module(MODULE)
        monkeypatch.setenv("ZOO_ELSEWHERE", "yes")
        return f"{MODULE}:answer"

    monkeypatch.syspath_prepend(str(tmp_path))
    forkserver().close()
    yield write
    forkserver().close()
    forkserver()._unfit.pop(MODULE, None)
    sys.modules.pop(MODULE, None)


def output_of(subject: Any, value: Any = None, **options: Any) -> Any:
    failure, record = run_with_failure_detection(subject, value, **options)
    assert failure is None, failure
    return record.output


def test_a_platform_without_waitid(write_module: Write, tmp_path: Path) -> None:
    """Where only `wait4` tells of a death, the ends of a process are told and cleaned up the same."""
    assert output_of(write_module("del os.waitid")) == 42
    assert output_of(lambda _: hasattr(os, "waitid")) is False

    pids = tmp_path / "pids"
    assert output_of(zoo.leave_a_family, str(pids)) == "gone"
    crashed = run_with_failure_detection(zoo.kill_itself, int(signal.SIGSEGV))[1].outcome
    late = run_with_failure_detection(zoo.ignore_sigterm, timeout=0.2)[1].outcome

    assert isinstance(crashed, Crashed)
    assert crashed.termination.signal == "SIGSEGV"
    assert (crashed.termination.peak_rss_bytes or 0) > 1_000_000
    assert isinstance(late, TimedOut)
    if sys.platform == "linux":
        assert [pid for pid in pids.read_text().split() if Path("/proc", pid).exists()] == []


def test_a_host_with_many_open_files() -> None:
    """Descriptor numbers above 1,023, where `select` ends, are as good as others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < 1200:
        pytest.skip("this account may not open that many files")
    forkserver().close()
    opened: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
        while not opened or opened[-1] < 1100:
            opened.append(os.open(os.devnull, os.O_RDONLY))

        assert [output_of(zoo.double, number) for number in (1, 2)] == [2, 4]
        assert isinstance(run_with_failure_detection(zoo.kill_supervisor)[1].outcome, Crashed)
    finally:
        for fd in opened:
            os.close(fd)
        forkserver().close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_host_that_may_open_no_more_files() -> None:
    """A host at its limit of open files is told so, as an error of failtrace's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = forkserver()
    server.close()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        with pytest.raises(ExecutionError, match="open"):
            server.lease(None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_supervisor_lost_before_the_subject_began(write_module: Write) -> None:
    """It is an error of failtrace's, not a crash of the subject, and leaves no segment."""
    name = write_module("import os, tempfile; tempfile.tempdir = '/no/such/folder'; vars(os).pop('memfd_create', None)")

    with pytest.raises(ExecutionError, match=r"Cannot run 'zoo_module:answer'.*before the subject began"):
        run_with_failure_detection(name)

    assert list(Settings.load().journal_path.iterdir()) == []


def test_a_subject_that_takes_too_long_to_load(write_module: Write) -> None:
    """It could not be loaded, which is no failure of an execution."""

    class Slow:
        def __reduce__(self) -> Any:
            return time.sleep, (600,)

    name = write_module("import failtrace.execution.supervisor as supervisor; supervisor.LOAD_LIMIT_S = 0.2")

    assert output_of(name) == 42
    with pytest.raises(SubjectError, match=r"Cannot load 'zoo_module:answer'.*took longer than"):
        run_with_failure_detection(name, Slow())


def test_an_edited_module_is_imported_anew(write_module: Write) -> None:
    """After an edit and a reload the new code runs, in supervisors that were busy meanwhile too."""
    assert output_of(write_module(number=1)) == 1
    busy = forkserver().lease(MODULE)

    assert output_of(write_module(number=22)) == 22
    forkserver().release(busy)

    assert [output_of(f"{MODULE}:answer") for _ in range(2)] == [22, 22]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", id="known"),
        pytest.param("_thread.start_new_thread(time.sleep, (600,))", id="unknown"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of threads that Python does not know")
def test_a_module_that_starts_threads_is_not_forked_from(write_module: Write, start: str) -> None:
    """Its subject runs all the same, and the template of others has no such thread."""
    name = write_module(f"import _thread, threading, time; {start}")

    assert output_of(name) == 42
    assert MODULE in forkserver()._unfit
    assert output_of(zoo.double, 2) == 4
    template = forkserver()._template
    assert template is not None
    assert len(list(Path(f"/proc/{template.pid}/task").iterdir())) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_library_that_ends_its_threads_before_a_fork_is_preloaded(write_module: Write) -> None:
    """What is sound to fork from is forked from."""
    name = write_module(
        """
        import _thread, time
        asked = _thread.allocate_lock()
        asked.acquire()
        serving = [_thread.start_new_thread(asked.acquire, ())]
        def wind_down():
            if serving:
                asked.release()
                while len(os.listdir("/proc/self/task")) > 1:
                    time.sleep(0.001)
                serving.clear()
        os.register_at_fork(before=wind_down)
        """
    )

    assert output_of(name) == 42
    assert MODULE in forkserver()._preloaded


HANGS = "import time; open({fifo!r}, 'w').close(); time.sleep(600)"


def test_an_interrupt_while_a_module_is_preloaded(write_module: Write, tmp_path: Path) -> None:
    """Ctrl-C passes at once, and the next execution does not get that import's answer."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    name = write_module(HANGS.format(fifo=str(fifo)))

    def interrupt() -> None:
        fifo.read_text()
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_with_failure_detection(name)
    thread.join()

    assert MODULE not in forkserver()._unfit
    assert output_of(write_module(number=7)) == 7


def test_giving_up_does_not_wait_for_an_import(write_module: Write, tmp_path: Path) -> None:
    """Abort ends an import in the template too, which is not held against the module."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    name = write_module(HANGS.format(fifo=str(fifo)))
    executor = ProcessExecutor()
    raised: list[BaseException] = []

    def in_thread() -> None:
        try:
            execute(resolve_subject(name), None, executor, Settings.load())
        except ExecutionError as error:
            raised.append(error)

    thread = threading.Thread(target=in_thread)
    thread.start()
    fifo.read_text()
    executor.abort()
    thread.join(30)

    assert ["given up" in str(error) for error in raised] == [True]
    assert MODULE not in forkserver()._unfit


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_template_may_fork_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objective-C's fork check is off in the template's environment and not in the subject's."""
    forkserver().close()
    # A mock, since no other platform takes this branch.
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        supervisor = forkserver().lease(None)
    template = forkserver()._template
    assert template is not None
    forkserver().release(supervisor)
    inside = output_of(lambda _: "OBJC_DISABLE_INITIALIZE_FORK_SAFETY" in os.environ)
    # Not before an execution: a process that has just begun tells of no environment.
    environment = Path(f"/proc/{template.pid}/environ").read_bytes().split(b"\0")

    assert b"OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES" in environment
    assert inside is False
    forkserver().close()

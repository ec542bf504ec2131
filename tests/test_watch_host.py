"""What a host does to its own process is its own affair: descriptors, signals, threads, the end of the program."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watched import program, recovered

from failtrace.recorder import recorder


@pytest.fixture(autouse=True)
def a_home_of_its_own() -> Iterator[None]:
    """A process has one home; here each test is the end of a program, and the next one begins in another home."""
    yield
    assert recorder().finish()


def test_a_file_that_got_a_descriptor_s_number_is_left_alone(tmp_path: Path) -> None:
    """A host that closed all descriptors finds its own files as it wrote them, open; no call is lost or told twice."""
    done = program(
        tmp_path,
        """
        import os, signal
        from failtrace import watch
        from failtrace.capture.watch_journal import JOURNAL
        from failtrace.watching import status
        @watch(name="works")
        def works(fails):
            if fails: 1 // 0
        @watch(name="daemon")
        def daemonise():
            os.closerange(3, 256)
            return [open(f"{number}.bin", "w+b", buffering=0) for number in range(20)]
        works(False)
        os.chdir(os.environ["FAILTRACE_HOME"])
        files = daemonise()
        for file in files: file.write(b"A" * 2000)
        works(False)
        JOURNAL.retire()
        works(False)
        if os.fork() == 0:
            files[0].write(b"A")
            os._exit(0)
        assert os.wait()[1] == 0
        for file in files: assert not file.seek(0) and not file.read().strip(b"A"), file
        assert status().in_memory_alone == 0 and status().faults == 1, status()
        @watch(name="killed")
        def killed():
            os.closerange(3, 256)
            files.append(open("last.bin", "w+b"))
            try: works(True)
            except ZeroDivisionError: pass
            os.kill(os.getpid(), signal.SIGKILL)
        killed()
        """,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(record.subject.name for record in recovered()) == ["killed", "works"]


def test_threads_that_begin_at_once_are_all_in_the_journal(tmp_path: Path) -> None:
    """The first call of each of 40 threads is there when the program is killed."""
    done = program(
        tmp_path,
        """
        import os, signal, sys, threading
        from failtrace import watch
        from failtrace.watching import status
        from failtrace.capture.watch_journal import WatchJournal
        slow = WatchJournal._create
        def slowly(self):
            gate.wait()
            return slow(self)
        WatchJournal._create = slowly
        gate, begun = threading.Event(), threading.Barrier(41)
        @watch(name="waits")
        def waits():
            begun.wait()
            threading.Event().wait()
        real = WatchJournal._next
        looking = threading.Semaphore(0)
        def next_of(self, *rest):
            looking.release()
            return real(self, *rest)
        WatchJournal._next = next_of
        for _ in range(40): threading.Thread(target=waits, daemon=True).start()
        for _ in range(40): looking.acquire()
        gate.set()
        begun.wait()
        assert status().in_memory_alone == 0, status()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(recovered()) == 40

"""A fork at any moment, and what ends with the interpreter: nothing is lost, and the host ends as it would."""

import os
from pathlib import Path

import pytest
from support.records import item, make_record
from support.watched import program, recorded, recovered

from failtrace.contracts import TraceRecord
from failtrace.errors import StoreError
from failtrace.mirror.mirror import Mirror

WATCHED = """
import os, signal, sys
from failtrace import watch
from failtrace.watching import flush, status
@watch(name="boom")
def boom(number): raise ValueError(number)
def fail(*numbers):
    for number in numbers:
        try: boom(number)
        except ValueError: pass
"""


def numbers(records: list[TraceRecord]) -> list[int]:
    return sorted(record.input["args"][0] for record in records)


def test_a_child_goes_on_to_store_when_its_parent_has_ended(tmp_path: Path) -> None:
    """The parent's end, and another program's, take the log away from nobody; a kill then loses nothing."""
    done = program(
        tmp_path,
        f"""{WATCHED}
fail(1, 2)
assert flush()
ended, end = os.pipe()
if os.fork():
    fail(3)
    sys.exit()
os.close(end)
fail(4, 5)
assert flush()
os.read(ended, 1)
os.system(f"{{sys.executable}} -m failtrace list >{{os.devnull}}")
fail(6, 7)
assert flush() and status().stored == 4 and not status().faults, status()
print("stored", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
""",
    )

    assert (done.stdout, done.stderr) == ("stored\n", "")
    assert numbers(recovered()) == [1, 2, 3, 4, 5, 6, 7]


def test_a_parent_notices_nothing_of_its_forks(tmp_path: Path) -> None:
    """That its connections are closed for each is no fault of the program's."""
    done = program(
        tmp_path,
        f"""{WATCHED}
for number in range(10):
    fail(number)
    assert flush()
    if not os.fork():
        fail(100 + number)
        os._exit(0 if flush() else 1)
    assert os.wait()[1] == 0
assert status().faults == 0 and status().stored == 10, status()
""",
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert numbers(recorded()) == [*range(10), *range(100, 110)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_keeps_away_from_what_was_at_work(tmp_path: Path) -> None:
    """A fork amid a transaction: the child is refused in one sentence, the parent goes on."""
    with Mirror.open(tmp_path / "mirror.sqlite") as mirror:
        with mirror._reading():
            child = os.fork()
            if child == 0:
                try:
                    mirror.write([item(make_record(number=1))])
                except StoreError as error:
                    os._exit(0 if "was at work when this process was forked" in str(error) else 1)
                finally:
                    os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert mirror.write([item(make_record(number=1))]) == 1


def test_calls_of_such_a_child_are_recovered(tmp_path: Path) -> None:
    """They stay in the journal, whatever the child does."""
    done = program(
        tmp_path,
        f"""{WATCHED}
from failtrace.mirror.fork_gate import at_work
fail(1)
assert flush()
with at_work():
    if not os.fork():
        fail(2, 3)
        os._exit(0)
    os.wait()
fail(4)
""",
    )

    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert numbers(recovered()) == [1, 2, 3, 4]


def test_the_interpreter_ends_where_the_last_failure_comes_with_its_end(tmp_path: Path) -> None:
    """A generator and a finaliser fail when no thread can begin any more: no program waits for one for ever."""
    done = program(
        tmp_path,
        f"""{WATCHED}
@watch(sample=1.0)
def counting():
    try: yield 1
    finally: 1 // 0
class Late:
    def __del__(self): fail(1)
late, counted = Late(), counting()
next(counted)
print("end")
""",
    )

    assert (done.returncode, done.stdout) == (0, "end\n")


def test_what_a_host_left_open_is_finalised(tmp_path: Path) -> None:
    """The last call that was recorded holds nothing of the program's: its files are written when it ends."""
    done = program(tmp_path, f'{WATCHED}\nleft = open({str(tmp_path / "left")!r}, "w")\nleft.write("whole")\nfail(1)\n')

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "left").read_text() == "whole"

"""What /proc tells of the processes below a process."""

import os
import signal
import subprocess
import sys

import pytest

from failtrace.execution.family import alive_and_cpu_s, can_tell_families, children, descendants

pytestmark = pytest.mark.skipif(not can_tell_families(), reason="no /proc that tells whose child a process is")

PARENT = (
    "import os, subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE)\n"
    "print(child.pid, flush=True)\n"
    "while __import__('time').process_time() < 0.3: pass\n"
    "print('burnt', flush=True)\n"
    "sys.stdin.read()\n"
)


def test_a_family_is_told_with_what_it_took() -> None:
    """Children and grandchildren, those that live, and their processor time; a corpse still counts for that."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        assert parent.stdout.readline() == b"burnt\n"

        assert parent.pid in children(os.getpid())
        assert children(parent.pid) == [grandchild]
        assert [pid for pid in descendants(os.getpid()) if pid in (parent.pid, grandchild)] == [parent.pid, grandchild]
        alive, cpu_s = alive_and_cpu_s([parent.pid, grandchild])
        assert alive == 2
        assert 0.25 < cpu_s < 5
        os.kill(grandchild, signal.SIGKILL)
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        parent.kill()
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        assert alive_and_cpu_s([parent.pid])[0] == 0
        assert alive_and_cpu_s([parent.pid])[1] > 0.25


def test_a_process_that_is_gone_has_no_family() -> None:
    """Numbers that nobody has are no error: a process may end between two looks."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitpid(child, 0)

    assert (children(child), descendants(child), alive_and_cpu_s([child])) == ([], [], (0, 0.0))

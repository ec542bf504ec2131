"""The template: the process that supervisors are forked from, with failtrace and subjects' modules already imported.

Started by the forkserver as a fresh interpreter in a session of its own, so that a Ctrl-C at the host's terminal does
not reach it. It ends when its host does.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from failtrace.capture.redaction import adopt
from failtrace.capture.redaction import prepare as prepare_redaction
from failtrace.execution.child import REAP_LIMIT_S, kill
from failtrace.execution.family import children, descendants
from failtrace.execution.limits import adopt_orphans
from failtrace.execution.protocol import Message, receive, send
from failtrace.execution.supervisor import Supervisor
from failtrace.secrets.own_rules import OwnRules
from failtrace.start_directory import START


def main(fd: int) -> None:
    """Serve the host at the other end of descriptor `fd`."""
    # The host ends this process by closing its end; a signal meant for a user's program is not for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Children are supervisors that look after themselves; nobody waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What a supervisor leaves that was killed itself comes here, where it can be ended.
    adopt_orphans()
    connection = socket.socket(fileno=fd)
    # Once here instead of in every process.
    prepare_redaction()
    gc.collect()
    gc.freeze()
    kept: set[int] = set()
    while (message := receive(connection)) is not None:
        if message.head["do"] == "preload":
            send(connection, _preload(message.head))
            # A module may start a process that all who use it share.
            kept.update(children(os.getpid()))
        elif message.head["do"] == "supervisor":
            pid = _fork_supervisor(connection, message)
            kept.add(pid)
            send(connection, {"pid": pid})
        else:
            _end(message.head["pid"], kept)
            send(connection, {})


def _end(supervisor: int, kept: set[int]) -> None:
    """Kill a supervisor that does not answer, and whatever it left, if it is dead already: all that is not `kept`."""
    kept.discard(supervisor)
    give_up = time.monotonic() + REAP_LIMIT_S
    while time.monotonic() < give_up:
        here = children(os.getpid())
        # A number that is free may soon be another process's.
        kept.intersection_update(here)
        if not (strays := [pid for pid in here if pid not in kept]):
            return
        for pid in [*strays, *(below for stray in strays for below in descendants(stray))]:
            kill(pid)
        time.sleep(0.0005)


def _fork_supervisor(connection: socket.socket, message: Message) -> int:
    (fd,) = message.fds
    if (pid := _fork()) == 0:
        # The last frame of the supervisor: whatever happens, it must not come back into the template's loop.
        try:
            connection.close()
            Supervisor(socket.socket(fileno=fd)).serve()
        finally:
            os._exit(0)
    os.close(fd)
    return pid


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads; a module that starts some is not preloaded at all.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _preload(head: dict[str, Any]) -> dict[str, Any]:
    """Import a subject's module. `fit` is false where forking afterwards would not be sound."""
    sys.path[:] = head["sys_path"]
    START.path = head["start"]
    os.environ.clear()
    os.environ.update(head["environment"])
    adopt(OwnRules.from_json(head["redaction"]), head["environment"])
    try:
        os.chdir(head["cwd"])
        importlib.import_module(head["module"])
    # The subject's own process will report what is wrong with its module; here it is only not preloaded.
    except BaseException:  # noqa: BLE001
        return {"fit": False}
    gc.collect()
    gc.freeze()
    return {"fit": _thread_count() == 1}


def _thread_count() -> int:
    """How many threads there are when this process forks, native ones included where /proc tells."""
    # A library that knows of forks ends its own threads before one (OpenBLAS does, with numpy): hence a trial.
    if _fork() == 0:
        os._exit(0)
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return threading.active_count()

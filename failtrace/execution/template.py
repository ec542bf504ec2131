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
import warnings
from pathlib import Path
from typing import Any

from failtrace.capture.redaction import adopt
from failtrace.capture.redaction import prepare as prepare_redaction
from failtrace.execution.protocol import Message, receive, send
from failtrace.execution.supervisor import Supervisor
from failtrace.secrets.own_rules import OwnRules


def main(fd: int) -> None:
    """Serve the host at the other end of descriptor `fd`."""
    # The host ends this process by closing its end; a signal meant for a user's program is not for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Children are supervisors that look after themselves; nobody waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    connection = socket.socket(fileno=fd)
    # Once here instead of in every process.
    prepare_redaction()
    gc.collect()
    gc.freeze()
    while (message := receive(connection)) is not None:
        if message.head["do"] == "preload":
            send(connection, _preload(message.head))
        else:
            _fork_supervisor(connection, message)


def _fork_supervisor(connection: socket.socket, message: Message) -> None:
    (fd,) = message.fds
    if _fork() == 0:
        # The last frame of the supervisor: whatever happens, it must not come back into the template's loop.
        try:
            connection.close()
            Supervisor(socket.socket(fileno=fd)).serve()
        finally:
            os._exit(0)
    os.close(fd)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads; a module that starts some is not preloaded at all.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _preload(head: dict[str, Any]) -> dict[str, Any]:
    """Import a subject's module. `fit` is false where forking afterwards would not be sound."""
    sys.path[:] = head["sys_path"]
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

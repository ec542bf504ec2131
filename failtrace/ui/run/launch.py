"""Starts `failtrace run` as a process of its own: it outlives the tab, the click and the server.

Progress is read from the mirror, by the run_id.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Final

from uuid6 import uuid7

from failtrace.errors import ExecutionError
from failtrace.mirror.mirror import Mirror
from failtrace.ui.run.files import RunFiles, prune
from failtrace.ui.run.request import RunRequest
from failtrace.ui.visitor import Visitor

_underway: Final[dict[str, None]] = {}
"""The runs whose processes live, in the order of their start."""


def start(
    request: RunRequest, registered: Collection[str], home: Path, by: Visitor, *, has_cosmos: bool = False
) -> str:
    """Start it; give the run_id, under which the mirror will show it.

    Raises NotAllowed for a viewer, InputError for a request that may not run, ExecutionError where the process cannot
    be started.
    """
    by.check_may_run("start runs")
    request.check(registered, has_cosmos=has_cosmos)
    run_id = str(uuid7())
    files = RunFiles(home, run_id)
    try:
        prune(home, underway())
        with closing(files.begin(request)) as begun:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter; the names were checked against the registry
                _command(request, run_id, begun.inputs),
                stdin=subprocess.DEVNULL,
                stdout=begun.log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=begun.descriptors,
                env={**os.environ, "FAILTRACE_HOME": str(home), "FAILTRACE_ACTING_FOR": by.name},
            )
    except OSError as error:
        files.discard()
        raise ExecutionError(
            f"Cannot start the run in {str(home)!r} ({error}); mend the folder and try again."
        ) from error
    _underway[run_id] = None
    threading.Thread(target=_wait, args=(process, run_id), name=f"run-{run_id}", daemon=True).start()
    return run_id


def cancel(mirror: Mirror, run_id: str, by: Visitor) -> None:
    """Ask a run to stop. Raises NotAllowed for a viewer, StoreError."""
    by.check_may_run("cancel runs")
    mirror.request_cancel(run_id, by.name)


def underway() -> tuple[str, ...]:
    """The runs that this server started and whose processes have not ended, newest first."""
    return tuple(reversed(list(_underway)))


def _wait(process: subprocess.Popen[bytes], run_id: str) -> None:
    """Somebody must wait for a child, or it stays behind as a zombie."""
    process.wait()
    _underway.pop(run_id, None)


def _command(request: RunRequest, run_id: str, inputs: str) -> list[str]:
    command = [sys.executable, "-m", "failtrace", "run", "--run-id", run_id, "--json", "--store", request.store]
    if request.inputs is not None:
        # A file, not a pipe: the run counts its lines before it begins.
        command += ["--inputs", inputs]
    if request.timeout_s is not None:
        command += ["--timeout", str(request.timeout_s)]
    if request.workers is not None:
        command += ["--workers", str(request.workers)]
    return [*command, "--", *request.subjects]

"""Starts `failtrace run` as a process of its own: it outlives the tab, the click and the server.

Imports no Streamlit. Progress is read from the mirror, by the run_id.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from uuid6 import uuid7

from failtrace.errors import ExecutionError, InputError

LONGEST_INPUTS: Final = 5 * 1024 * 1024
"""Bytes of pasted JSON Lines; more belongs into a file and `failtrace run --inputs`."""
_LOG_TAIL: Final = 16 * 1024
_underway: set[str] = set()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: names of registered subjects, on their own examples or on pasted JSON Lines."""

    subjects: tuple[str, ...]
    inputs: str | None = None
    timeout_s: float | None = None
    workers: int | None = None

    def check(self, registered: Collection[str]) -> None:
        """Raise InputError for anything the page should not have let through: its widgets are no guard."""
        if not self.subjects:
            raise InputError("Nothing to run: choose at least one subject.")
        for name in self.subjects:
            if name not in registered:
                raise InputError(
                    f"Cannot run {name!r}: no subject is registered under that name; choose from the list."
                )
        if self.inputs is not None and not self.inputs.strip():
            raise InputError("No input was given: paste one JSON value a line, or run on the subjects' own examples.")
        if self.inputs is not None and len(self.inputs.encode()) > LONGEST_INPUTS:
            raise InputError(
                "The pasted inputs are longer than 5 MB: put them into a file for `failtrace run --inputs`."
            )


def start(request: RunRequest, registered: Collection[str], home: Path) -> str:
    """Start it; give the run_id, under which the mirror will show it.

    Raises InputError for a request that may not run, ExecutionError where the process cannot be started.
    """
    request.check(registered)
    run_id = str(uuid7())
    try:
        folder = home / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{run_id}.log").open("wb") as log, _inputs(request) as inputs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter; the names were checked against the registry
                _command(request, run_id),
                stdin=inputs,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "FAILTRACE_HOME": str(home)},
            )
    except OSError as error:
        raise ExecutionError(
            f"Cannot start the run in {str(home)!r} ({error}); mend the folder and try again."
        ) from error
    _underway.add(run_id)
    threading.Thread(target=_wait, args=(process, run_id), name=f"run-{run_id}", daemon=True).start()
    return run_id


def is_underway(run_id: str) -> bool:
    """Whether this server started that run and its process has not ended."""
    return run_id in _underway


def log_tail(home: Path, run_id: str) -> str:
    """The last 16 KB of what the run's process printed; empty where it never started here."""
    try:
        with (home / "runs" / f"{run_id}.log").open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _LOG_TAIL))
            return log.read().decode(errors="replace")
    except OSError:
        return ""


def _wait(process: subprocess.Popen[bytes], run_id: str) -> None:
    """Somebody must wait for a child, or it stays behind as a zombie."""
    process.wait()
    _underway.discard(run_id)


def _inputs(request: RunRequest) -> IO[bytes]:
    """What was pasted, in a file without a name: it may hold secrets, and it goes with the run."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    file.write((request.inputs or "").encode("utf-8", "replace"))
    file.seek(0)
    return file


def _command(request: RunRequest, run_id: str) -> list[str]:
    command = [sys.executable, "-m", "failtrace", "run", "--run-id", run_id, "--json"]
    if request.inputs is not None:
        command += ["--inputs", "-"]
    if request.timeout_s:
        command += ["--timeout", str(request.timeout_s)]
    if request.workers:
        command += ["--workers", str(request.workers)]
    return [*command, "--", *request.subjects]

"""Starts `failtrace run` as a process of its own: it outlives the tab, the click and the server.

Progress is read from the mirror, by the run_id. Beside the log of a run stands what was asked for, so that it can be
run again; only its owner may read it, for inputs may hold secrets.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import streamlit as st
from uuid6 import uuid7

from failtrace.errors import ExecutionError, FailtraceError, InputError
from failtrace.storage.trace_store import StoreKind
from failtrace.ui.notices import problem

LONGEST_INPUTS: Final = 5 * 1024 * 1024
"""Bytes of pasted JSON Lines; more belongs into a file and `failtrace run --inputs`."""
_LOG_TAIL: Final = 16 * 1024
_KEPT: Final = 200
"""Runs whose log and request are kept."""
_STORES: Final = ("auto", "memory", "cosmos")
_underway: set[str] = set()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: names of registered subjects, on their own examples or on pasted JSON Lines."""

    subjects: tuple[str, ...]
    inputs: str | None = None
    timeout_s: float | None = None
    workers: int | None = None
    store: StoreKind = "auto"

    def check(self, registered: Collection[str]) -> None:
        """Raise InputError for anything the page should not have let through: its widgets are no guard."""
        if not self.subjects:
            raise InputError("Nothing to run: choose at least one subject.")
        for name in self.subjects:
            if name not in registered:
                raise InputError(
                    f"Cannot run {name!r}: no subject is registered under that name; choose from the list."
                )
        if self.store not in _STORES:
            raise InputError(f"There is no store {self.store!r:.40}; choose one of the list.")
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
        _prune(folder)
        inputs = _keep(folder, run_id, request)
        with (folder / f"{run_id}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter; the names were checked against the registry
                _command(request, run_id, inputs),
                stdin=subprocess.DEVNULL,
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


def start_and_show(request: RunRequest, registered: Collection[str], home: Path) -> None:
    """Start it and open its page; where that cannot be, one sentence."""
    try:
        run_id = start(request, registered, home)
    except FailtraceError as error:
        problem("The run was not started.", str(error))
        return
    st.session_state["run-latest"] = st.query_params["run_id"] = run_id
    st.query_params.pop("against", None)
    st.rerun()


def request_of(home: Path, run_id: str) -> RunRequest | None:
    """What a run was asked for; None where it was not started here, or too long ago."""
    try:
        kept = home / "runs" / f"{run_id}.json"
        said = json.loads(kept.read_text(encoding="utf-8"))
        inputs = kept.with_suffix(".jsonl").read_text(encoding="utf-8") if said.pop("has_inputs") else None
        return RunRequest(**{**said, "subjects": tuple(said["subjects"]), "inputs": inputs})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def sentences_of(printed: str) -> list[str]:
    """What the process said to a person: its lines that are no JSON, without its own name before them."""
    lines = [line.strip() for line in printed.splitlines()]
    return [line.removeprefix("failtrace: ") for line in lines if line and not line.startswith("{")]


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


def _keep(folder: Path, run_id: str, request: RunRequest) -> Path | None:
    """Write down what was asked for, readable by its owner alone; gives the file of the inputs, where there are any."""
    said = asdict(request)
    inputs = said.pop("inputs")
    _write(folder / f"{run_id}.json", json.dumps(said | {"has_inputs": inputs is not None}))
    if inputs is None:
        return None
    # A file with a name, so that the run can count its lines before it begins.
    file = (folder / f"{run_id}.jsonl").absolute()
    _write(file, inputs)
    return file


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(text.encode("utf-8", "replace"))


def _prune(folder: Path) -> None:
    """Ids of runs begin with their time, so the oldest come first."""
    for suffix in ("log", "json", "jsonl"):
        for file in sorted(folder.glob(f"*.{suffix}"))[: -_KEPT + 1]:
            with suppress(OSError):
                file.unlink()


def _wait(process: subprocess.Popen[bytes], run_id: str) -> None:
    """Somebody must wait for a child, or it stays behind as a zombie."""
    process.wait()
    _underway.discard(run_id)


def _command(request: RunRequest, run_id: str, inputs: Path | None) -> list[str]:
    command = [sys.executable, "-m", "failtrace", "run", "--run-id", run_id, "--json"]
    if inputs is not None:
        command += ["--inputs", str(inputs)]
    if request.timeout_s:
        command += ["--timeout", str(request.timeout_s)]
    if request.workers:
        command += ["--workers", str(request.workers)]
    return [*command, "--store", request.store, "--", *request.subjects]

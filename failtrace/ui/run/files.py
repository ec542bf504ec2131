"""What is kept of a run beside the mirror: its log, what was asked for, and the inputs it was given.

In FAILTRACE_HOME/runs, for their owner alone, since inputs may hold secrets; of the newest KEPT runs. An id that
this dashboard did not make names no file.
"""

import json
import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from failtrace.ui.run.request import RunRequest

KEPT: Final = 200
"""Runs whose files are kept."""
_LOG_TAIL: Final = 64 * 1024
_OWN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunFiles:
    """The files of one run."""

    def __init__(self, home: Path, run_id: str) -> None:
        self._folder = home / "runs"
        self._run_id = run_id

    @property
    def log(self) -> Path:
        """What its process printed."""
        return self._file("log")

    @property
    def inputs(self) -> Path:
        """The JSON Lines it was given; there is none where it ran on the subjects' own examples."""
        return self._file("jsonl")

    def begin(self, request: RunRequest) -> IO[bytes]:
        """Write down what was asked for; gives the log, to be written to. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asked = asdict(request)
        inputs = asked.pop("inputs")
        with _create(self._file("json")) as file:
            file.write(json.dumps(asked | {"has_inputs": inputs is not None}).encode())
        if inputs is not None:
            with _create(self.inputs) as file:
                file.write(inputs)
        return _create(self.log)

    def discard(self) -> None:
        """Remove them: the run never began."""
        _remove(self._folder, self._run_id)

    def request(self) -> RunRequest | None:
        """What was asked for; None where that is not known, not kept any more, or damaged."""
        if not _OWN.fullmatch(self._run_id):
            return None
        try:
            asked: dict[str, Any] = json.loads(self._file("json").read_bytes())
            inputs = self.inputs.read_bytes() if asked.pop("has_inputs") else None
            return RunRequest(**(asked | {"subjects": tuple(asked["subjects"]), "inputs": inputs}))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def sentences(self) -> tuple[str, ...]:
        """What its process had to say to a person, the newest 64 KB: the lines that are no JSON."""
        if not _OWN.fullmatch(self._run_id):
            return ()
        return tuple([self._plain(line) for line in _tail(self.log) if line.strip() and not line.startswith("{")])

    def _plain(self, line: str) -> str:
        # The name of the file says nothing to who pasted its lines.
        return line.rstrip().removeprefix("failtrace: ").replace(f" of {str(self.inputs)!r}", "")

    def _file(self, suffix: str) -> Path:
        return self._folder / f"{self._run_id}.{suffix}"


def prune(home: Path, spared: Collection[str]) -> None:
    """Remove the files of all but the newest runs, one fewer than KEPT: another begins. Ids begin with their time."""
    folder = home / "runs"
    known = sorted({file.stem for file in folder.glob("*") if _OWN.fullmatch(file.stem)}, reverse=True)
    for run_id in known[KEPT - 1 :]:
        if run_id not in spared:
            _remove(folder, run_id)


def _remove(folder: Path, run_id: str) -> None:
    for suffix in ("jsonl", "json", "log"):
        with suppress(OSError):
            (folder / f"{run_id}.{suffix}").unlink()


def _create(file: Path) -> IO[bytes]:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _tail(log: Path) -> list[str]:
    """The last lines of a log, whole ones; none where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_TAIL))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return []
    return lines[1:] if size > _LOG_TAIL else lines

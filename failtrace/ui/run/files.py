"""What is kept of a run beside the mirror: its log, what was asked for, and the inputs it was given.

In FAILTRACE_HOME/runs, for their owner alone, of the newest KEPT runs. Inputs that hold a secret reach no disk: their
run gets them by a file without a name, and cannot be repeated on them. An id that this dashboard did not make names no
file.
"""

import json
import os
import re
import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from failtrace.capture.redaction import redact_text
from failtrace.ui.run.request import RunRequest

KEPT: Final = 200
"""Runs whose files are kept."""
_LOG_TAIL: Final = 64 * 1024
_DESCRIPTORS: Final = "/dev/fd/"
_INPUTS: Final = re.compile(rf" of '{_DESCRIPTORS}\d+'")
_OWN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Begun:
    """What a run's process is given: where its output goes, and where its inputs are."""

    log: IO[bytes]
    _inputs: Path
    _nameless: IO[bytes] | None

    @property
    def inputs(self) -> str:
        """The path by which the process opens them."""
        return str(self._inputs) if self._nameless is None else f"{_DESCRIPTORS}{self._nameless.fileno()}"

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the process must inherit beside its output."""
        return () if self._nameless is None else (self._nameless.fileno(),)

    def close(self) -> None:
        """The process has its own by now."""
        self.log.close()
        if self._nameless is not None:
            self._nameless.close()


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

    def begin(self, request: RunRequest) -> "Begun":
        """Write down what was asked for. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asked = asdict(request)
        inputs = asked.pop("inputs")
        with _create(self._file("json")) as file:
            file.write(json.dumps(asked | {"has_inputs": inputs is not None}).encode())
        nameless = None
        if inputs is not None and redact_text(inputs.decode(errors="replace"))[1]:
            nameless = _nameless(inputs)
        elif inputs is not None:
            with _create(self.inputs) as file:
                file.write(inputs)
        return Begun(_create(self.log), self.inputs, nameless)

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
        return _INPUTS.sub("", line.rstrip().removeprefix("failtrace: ").replace(f" of {str(self.inputs)!r}", ""))

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


def _nameless(content: bytes) -> IO[bytes]:
    """In memory where the system can, else on a disk without a name: from the moment it is made nobody can open it."""
    file: IO[bytes]
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("failtrace-inputs"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  who begins the run closes it
    file.write(content)
    file.flush()
    file.seek(0)
    return file


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

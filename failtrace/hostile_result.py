"""The last answer to what this installation catches: kept in the home folder, for the Health page."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from failtrace.errors import ExecutionError
from failtrace.hostile import Caught
from failtrace.version import package_version


@dataclass(frozen=True, slots=True)
class HostileResult:
    """What became of every hostile subject, of their siblings and their host; when, and under which versions."""

    ended_at: datetime
    failtrace: str
    python: str
    caught: tuple[Caught, ...]


_READER: Final = TypeAdapter(HostileResult)


def keep_result(home: Path, caught: Sequence[Caught]) -> None:
    """Put it in the place of the last one, in one go. Raises ExecutionError where the folder takes no file."""
    result = HostileResult(datetime.now(UTC), package_version(), platform.python_version(), tuple(caught))
    # Of this process alone: two that end at once must not write into one file.
    draft = _file(home).with_suffix(f".{os.getpid()}")
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(_READER.dump_json(result))
        draft.replace(_file(home))
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ExecutionError(
            f"Cannot keep what was caught in {str(home)!r} ({error.strerror}); mend the folder and run it again."
        ) from error


def last_result(home: Path) -> HostileResult | None:
    """The last one; None where there is none, or none that this version can read."""
    try:
        return _READER.validate_json(_file(home).read_bytes())
    except (OSError, ValidationError):
        return None


def _file(home: Path) -> Path:
    return home / "hostile.json"

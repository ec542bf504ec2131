"""Where this process began: relative paths of its settings count from there, wherever it goes later."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from failtrace.errors import SettingsError


class StartDirectory:
    """The working directory of the moment in which failtrace was imported; a subject's process has its host's."""

    def __init__(self) -> None:
        self.path: str | None = None
        """None where it was gone by then."""
        with suppress(OSError):
            self.path = str(Path.cwd())

    def absolute(self, path: Path) -> Path:
        """The path from there. Raises SettingsError for a relative one where there is no such directory."""
        if path.is_absolute():
            return path
        if self.path is None:
            raise SettingsError(
                f"Cannot find {str(path)!r}: the directory in which this program began is gone; "
                "set FAILTRACE_HOME and FAILTRACE_REDACTION to absolute paths."
            )
        return self.path / path


START = StartDirectory()
"""The process's one."""

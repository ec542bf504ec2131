"""A journal that is nowhere but in memory."""

from typing import Any

from pydantic_core import to_json

from failtrace.capture.journal import JournalLines, parse_journal


class MemoryJournal:
    """See Journal."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.lost_lines = 0

    def write(self, line: dict[str, Any]) -> bool:
        """Keep one line of sanitised JSON."""
        self._data += to_json(line) + b"\n"
        return True

    def lines(self) -> JournalLines:
        """What was kept."""
        return parse_journal(self._data)

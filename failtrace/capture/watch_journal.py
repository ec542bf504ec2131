"""The watch journal: what the watched calls of this process tell, in memory and in segments that survive its death.

What it costs is bounded, in bytes of memory and in segments on the disk. What goes beyond is counted, and a disk that
refused a line is left alone for a while: calls are then kept in memory alone.
"""

from __future__ import annotations

import itertools
import os
import platform
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from failtrace.capture.journal import JournalLines, MemoryJournal, parse_journal
from failtrace.capture.watch_faults import FAULTS
from failtrace.capture.watch_segment import MAX_SEGMENT, SUFFIX, WatchSegment, story
from failtrace.settings import Settings

MAX_SEGMENTS = 16
"""Segments that a process may have at once; while there are as many, calls begin in memory alone."""
MAX_MEMORY = 64 << 20
"""Bytes of lines that all calls of a process may keep before they are stored."""
RETRY_S = 5.0
"""How long a disk that refused is left alone."""


class CallJournal(MemoryJournal):
    """The lines of one call."""

    __slots__ = ("_held", "_journal", "_segment", "number")

    def __init__(self, journal: WatchJournal, number: int, told: bytes, segment: WatchSegment | None) -> None:
        super().__init__()
        self.number = number
        self._journal = journal
        self._segment = segment
        self._held = 0
        self._data += b'{"k":"live","c":%d,%b}\n' % (number, told)

    @property
    def survives(self) -> bool:
        """Whether the lines are on the disk too."""
        return self._segment is not None and self._segment.is_open

    def write(self, line: dict[str, Any]) -> bool:
        """Keep one line; False, and counted, where memory has no room."""
        return self.tell(line["k"], to_json(line)[1:-1])

    def tell(self, kind: str, fields: bytes) -> bool:
        """Keep one line whose fields are JSON already."""
        data = b'\n{"c":%d,%b}' % (self.number, fields) if kind != "input" else b'\n{"c":%d,"k":"input",%b}' % (self.number, fields)
        if self._segment is not None:
            self._segment.append(data)
        return False

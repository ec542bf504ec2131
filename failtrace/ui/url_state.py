"""What a page's address says, as small frozen values: read leniently, written exactly.

A page reads only its own parameters: Back may leave another page's in the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode

from failtrace.contracts import FailureType
from failtrace.mirror.views import FailureFilter

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_RUN_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_LONGEST = 4096


class TimeRange(StrEnum):
    """How far back a page looks."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    def since(self, now: datetime) -> datetime | None:
        """The start of the range that ends now; None reaches back to the beginning."""
        span = _SPANS.get(self)
        return now - span if span else None


_SPANS = {
    TimeRange.HOUR: timedelta(hours=1),
    TimeRange.DAY: timedelta(days=1),
    TimeRange.WEEK: timedelta(days=7),
    TimeRange.MONTH: timedelta(days=30),
}


def now() -> datetime:
    """The one clock of the pages, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FailureAddress:
    """`/failure?failure_id=…`"""

    failure_id: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id within what somebody typed or pasted: quotes, spaces, a whole link; empty where none is."""
        found = _UUID.search(text[:_LONGEST])
        return cls(found.group().lower() if found else "")

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """From the address."""
        return cls.parse(params.get("failure_id", ""))

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return f"failure?{urlencode({'failure_id': self.failure_id})}"


@dataclass(frozen=True, slots=True)
class RunAddress:
    """`/run?run_id=…`"""

    run_id: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """From the address; what cannot be a run_id counts as none."""
        text = params.get("run_id", "").strip()
        return cls(text if _RUN_ID.fullmatch(text) else "")

    @property
    def link(self) -> str:
        """Relative, so that it holds under any base path."""
        return f"run?{urlencode({'run_id': self.run_id})}"


@dataclass(frozen=True, slots=True)
class FailuresAddress:
    """`/failures?q=…&type=…&subject=…&range=…&run_id=…`"""

    text: str = ""
    failure_types: tuple[FailureType, ...] = ()
    subjects: tuple[str, ...] = ()
    range: TimeRange = TimeRange.ALL
    run: RunAddress = field(default_factory=RunAddress)

    def filter(self, moment: datetime) -> FailureFilter:
        """What to ask the mirror, for a range that ends at `moment`."""
        return FailureFilter(
            text=self.text.strip(),
            failure_types=self.failure_types,
            subjects=self.subjects,
            run_id=self.run.run_id or None,
            since=self.range.since(moment),
        )

    @property
    def params(self) -> dict[str, str | list[str]]:
        """The parameters that differ from the page's defaults."""
        chosen: dict[str, str | list[str]] = {
            "q": self.text,
            "type": [str(item) for item in self.failure_types],
            "subject": list(self.subjects),
            "range": "" if self.range is TimeRange.ALL else str(self.range),
            "run_id": self.run.run_id,
        }
        return {name: value for name, value in chosen.items() if value}

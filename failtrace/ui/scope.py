"""What a page's numbers count, and the links to the failures among it: a mark opens exactly what it counts."""

from dataclasses import dataclass, replace
from datetime import datetime

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import FailureFilter, Overview
from failtrace.ui.buckets import whole
from failtrace.ui.url_state import FailuresAddress, TimeRange, now


@dataclass(frozen=True, slots=True)
class Scope:
    """Executions of these subjects (all where none is named) that ended in [since, until), None where open."""

    subjects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filter(self) -> FailureFilter:
        """The failures in it, as a question to the mirror."""
        return FailureFilter(subjects=self.subjects, since=self.since, until=self.until)

    @property
    def address(self) -> FailuresAddress:
        """The list of the failures in it."""
        return FailuresAddress(subjects=self.subjects, since=self.since, until=self.until)

    def link(self, failure_type: FailureType | None = None, subject: str | None = None) -> str:
        """To the failures in it: of one type or subject, or to all."""
        types = (failure_type,) if failure_type else ()
        subjects = self.subjects if subject is None else (subject,)
        return replace(self.address, failure_types=types, subjects=subjects).link

    def within(self, start: datetime, end: datetime) -> "Scope":
        """The part of it that ended in [start, end)."""
        return replace(self, since=start, until=end)


def count(mirror: Mirror, chosen: TimeRange, subjects: tuple[str, ...]) -> tuple[Overview, Scope]:
    """What ran in the chosen range, and what exactly was counted: whole hours or days. Raises StoreError."""
    until = now()
    since = chosen.since(until)
    if since is None:
        # Left without an end too: the counts of all time are kept as such.
        return mirror.overview(subjects=subjects), Scope(subjects)
    overview = mirror.overview(since, until, subjects)
    return overview, Scope(subjects, *whole(overview, since, until))

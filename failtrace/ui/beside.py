"""What stands beside a record: its neighbours in a list, failures like it, a passing twin.

None of it is the record, so where the mirror cannot tell, the page goes on without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from failtrace.contracts import TraceRecord
from failtrace.errors import FailtraceError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow, FailureFilter, Neighbours
from failtrace.ui.url_state import CompareAddress, FailuresAddress, now

NEWEST: Final = 10
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Similar:
    """Failures of one fingerprint."""

    total: int
    newest: tuple[ExecutionRow, ...]
    first: ExecutionRow


def beside_in_list(mirror: Mirror, any_id: str, within: FailuresAddress | None) -> Neighbours:
    """The failures before and after one in the list that it was opened from; in that of all failures where in none."""
    row = _tried(lambda: mirror.execution(any_id)) if any_id else None
    failure_id = row.failure_id if row else None
    if failure_id is None:
        return Neighbours()
    listed = within or FailuresAddress()
    return _tried(lambda: mirror.neighbours(listed.filter(now()), listed.sort, failure_id)) or Neighbours()


def passing_twin(mirror: Mirror, record: TraceRecord) -> str:
    """The address of a failure's comparison with a passing execution; empty where there is none."""
    if record.failure_id is None:
        return ""
    failure_id = record.failure_id
    twin = _tried(lambda: mirror.passed_twin(failure_id))
    return CompareAddress(left=failure_id, right=twin.trace_id).link if twin else ""


def similar_count(mirror: Mirror, record: TraceRecord) -> int | None:
    """How many failures share the fingerprint; None where nobody can tell."""
    wanted = _alike(record)
    page = _tried(lambda: mirror.failures(wanted, limit=1)) if wanted else None
    return page.total if page else None


def similar(mirror: Mirror, record: TraceRecord) -> Similar | None:
    """The failures of the same fingerprint; None where there is none, as for an execution that passed.

    Raises StoreError where the mirror cannot be asked.
    """
    wanted = _alike(record)
    if wanted is None:
        return None
    page = mirror.failures(wanted, limit=NEWEST)
    oldest = mirror.failures(wanted, limit=1, sort="oldest").rows
    return Similar(page.total, page.rows, oldest[0]) if oldest else None


def _alike(record: TraceRecord) -> FailureFilter | None:
    return FailureFilter(fingerprint=record.failure.fingerprint) if record.failure else None


def _tried(question: Callable[[], Answer]) -> Answer | None:
    try:
        return question()
    except FailtraceError:
        return None

"""What the mirror answers: plain frozen values, ready for a page or a line of output."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from failtrace.contracts import FailureType

Row = TypeVar("Row")
RunState = Literal["running", "finished", "cancelled", "interrupted"]
Sort = Literal["newest", "oldest", "longest", "shortest"]
Deed = Literal["logged in", "started a run", "cancelled a run", "exported", "imported", "ran the hostile subjects"]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Something that somebody did."""

    at: datetime
    who: str
    """An e-mail address, or the name of an account of this machine."""
    deed: Deed
    detail: str


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """One execution in a list. `failure_id` and `failure_type` are None where it passed."""

    trace_id: str
    failure_id: str | None
    run_id: str | None
    subject: str
    outcome: str
    failure_type: FailureType | None
    message: str
    fingerprint: str | None
    ended_at: datetime
    """For a failure, the moment it occurred."""
    duration_ms: float
    input_key: str | None
    """16 hex digits, the same for equal inputs; None where an older failtrace stored the execution."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A stretch of a list. `after` is the cursor of the next stretch, None at the end."""

    rows: tuple[Row, ...]
    total: int
    """How many rows the filter matches in all."""
    after: str | None


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """What a list of failures is narrowed to; every field narrows further, None and empty do not."""

    text: str = ""
    """Words to find; hostile input is data, never query syntax."""
    failure_types: tuple[FailureType, ...] = ()
    subjects: tuple[str, ...] = ()
    run_id: str | None = None
    fingerprint: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The failure_ids before and after one in a list; None at its ends, and both where it is not in the list."""

    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long executions took."""

    p50_ms: float
    p95_ms: float
    exact: bool
    """Where there were too many to look at each, the numbers are right to a tenth of themselves."""


@dataclass(frozen=True, slots=True)
class SubjectDurations:
    """How long the executions of one subject took."""

    subject: str
    executions: int
    durations: Durations


@dataclass(frozen=True, slots=True)
class Period:
    """The numbers of a stretch of time that another is measured against."""

    executions: int
    failures: int
    durations: Durations | None

    @property
    def failure_rate(self) -> float:
        """Failures per execution, 0 to 1; 0 where nothing ran."""
        return self.failures / self.executions if self.executions else 0.0


@dataclass(frozen=True, slots=True)
class Overview:
    """All numbers of the overview, from the rollups."""

    executions: int
    failures: int
    by_type: dict[FailureType, int]
    over_time: tuple[tuple[datetime, FailureType | None, int], ...]
    """(start of the bucket, failure type or None for passed, executions), oldest first."""
    bucket: Literal["hour", "day"]
    by_subject: tuple[tuple[str, FailureType | None, int], ...]
    """(subject, failure type or None for passed, executions)."""
    durations: Durations | None
    """None where nothing ran."""
    previous: Period | None
    """The equally long time just before; None for all time."""
    slowest: tuple[SubjectDurations, ...]
    """By the 95th percentile, longest first."""

    @property
    def failure_rate(self) -> float:
        """Failures per execution, 0 to 1; 0 where nothing ran."""
        return self.failures / self.executions if self.executions else 0.0


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run and how far it is."""

    run_id: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    subjects: tuple[str, ...]
    planned: int | None
    """How many executions were asked for; None while the inputs are still being read."""
    passed: int
    by_type: dict[FailureType, int]
    not_run: int
    bad_lines: int
    pid: int
    cancel_requested: bool

    @property
    def failed(self) -> int:
        """Executions that failed."""
        return sum(self.by_type.values())

    @property
    def executions(self) -> int:
        """Executions that ended."""
        return self.passed + self.failed


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One subject on one input, in an earlier and in a later run."""

    subject: str
    input_key: str | None
    before: ExecutionRow
    after: ExecutionRow


@dataclass(frozen=True, slots=True)
class Compared:
    """One class of a comparison: how many in all, and the first of them."""

    total: int
    rows: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A later run against an earlier one."""

    newly_failing: Compared
    fixed: Compared
    still_failing: Compared
    passing_both: int
    only_before: int
    only_after: int


@dataclass(frozen=True, slots=True)
class MirrorHealth:
    """The state of the file."""

    path: str
    size_bytes: int
    sqlite_version: str
    schema_version: int
    executions: int
    failures: int
    records: int
    last_write_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """A relay that holds, or asks for, the lease; `name` is its own, a process may have several."""

    name: str
    pid: int
    host: str


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A failure that waits to be sent."""

    execution_id: int
    failure_id: str
    attempts: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryMark:
    """What the relay notes of a delivery."""

    execution_id: int
    at: datetime
    request_charge: float
    activity_id: str
    parts: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Postponed:
    """A failure to be sent again, not before `due_at`."""

    execution_id: int
    due_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Buried:
    """A failure that can never be sent as it is."""

    execution_id: int
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A failure that Cosmos DB does not take."""

    failure_id: str
    subject: str
    failure_type: FailureType
    message: str
    status: int | None
    """The HTTP status it was refused with."""
    error: str
    attempts: int
    added_at: datetime
    buried_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a failure came into Cosmos DB; `attempts` is 0 where another machine brought it there."""

    delivered_at: datetime
    attempts: int
    request_charge: float
    activity_id: str
    parts: int


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """How the delivery to Cosmos DB stands."""

    pending: int
    oldest_pending_at: datetime | None
    dead: int
    lag_ms: float | None
    """Mean time from storing to delivery, of the newest thousand of the last hour; None where nothing was delivered."""
    delivered_last_hour: int
    request_units_last_hour: float
    attempts_last_hour: int
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    paused: str | None
    """What a person has to mend; None while it goes by itself."""
    holder: Holder | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item of the container that is no record this version can read, as it is."""

    id: str
    ts: int
    """`_ts`: seconds since the epoch, by Cosmos DB's clock."""
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class InboxState:
    """How far a container was read."""

    watermark: int | None
    synced_at: datetime | None
    error: str | None

"""The shape of the mirror as it is now; `migrations` is how a file comes to it, a test holds the two equal.

Times are integer microseconds since the epoch, UTC. A `failure_type` of `""` stands for an execution that
passed: it is part of keys, and SQLite takes two NULLs in a key for different values.
"""

from sqlalchemy import Column, Index, LargeBinary, MetaData, Text, column, table, text
from sqlmodel import Field, SQLModel

from failtrace.contracts import FailureType
from failtrace.mirror.problems import no_row_of_ours

PASSED = ""

metadata = MetaData()


class _Shape(SQLModel):
    """Base of the mirror's tables, with metadata of their own: a host may use SQLModel too."""

    metadata = metadata


class Execution(_Shape, table=True):
    """The summary of one execution; what lists show. Only retention deletes it."""

    __table_args__ = (
        Index("execution_failure_id", "failure_id", unique=True, sqlite_where=text("failure_id IS NOT NULL")),
        Index("execution_by_type", "failure_type", "ended_at"),
        Index("execution_by_subject", "subject", "failure_type", "ended_at"),
        Index("execution_by_run", "run_id", "failure_type", "ended_at", sqlite_where=text("run_id IS NOT NULL")),
        Index(
            "execution_by_fingerprint",
            "fingerprint",
            "ended_at",
            sqlite_where=text("fingerprint IS NOT NULL"),
        ),
        Index("execution_by_duration", "failure_type", "duration_ms", sqlite_where=text("failure_id IS NOT NULL")),
        Index("execution_trace_id", "trace_id", unique=True),
    )

    id: int = Field(primary_key=True)
    trace_id: str = Field(sa_type=Text)
    failure_id: str | None = Field(sa_type=Text)
    run_id: str | None = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    failure_type: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    fingerprint: str | None = Field(sa_type=Text)
    ended_at: int
    duration_ms: float
    sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Of the encoded record; stays when the record itself had to go."""
    stored_at: int
    input_key: bytes | None = Field(sa_column=Column(LargeBinary))
    """The start of a digest of the input; NULL where an older failtrace stored the execution."""


class Body(_Shape, table=True):
    """The encoded TraceRecord of an execution: of all failures, and of the newest passed ones of a subject.

    `passed_subject` is the subject where it passed, else NULL. The body stands last, so that no other column
    is behind its overflow pages.
    """

    __table_args__ = (
        Index(
            "body_passed",
            "passed_subject",
            "ended_at",
            sqlite_where=text("passed_subject IS NOT NULL"),
        ),
    )

    execution_id: int = Field(primary_key=True)
    passed_subject: str | None = Field(sa_type=Text)
    ended_at: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Kept(_Shape, table=True):
    """How many bodies of passed executions of a subject are in the file."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    subject: str = Field(primary_key=True, sa_type=Text)
    records: int


class Timeline(_Shape, table=True):
    """Counts by grain (`hour`, `day`, `all`), bucket (its start; 0 for `all`) and failure type."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    grain: str = Field(primary_key=True, sa_type=Text)
    bucket: int = Field(primary_key=True)
    failure_type: str = Field(primary_key=True, sa_type=Text)
    executions: int
    duration_ms: float
    """Sum over the executions."""
    duration_ms_max: float


class Rollup(_Shape, table=True):
    """The same by subject. The timeline is its sum, kept apart so that many subjects do not slow a chart of all."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    grain: str = Field(primary_key=True, sa_type=Text)
    bucket: int = Field(primary_key=True)
    failure_type: str = Field(primary_key=True, sa_type=Text)
    subject: str = Field(primary_key=True, sa_type=Text)
    executions: int
    duration_ms: float
    """Sum over the executions."""
    duration_ms_max: float


class Spread(_Shape, table=True):
    """Executions by grain, bucket and bin of their duration, see `spread`."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    grain: str = Field(primary_key=True, sa_type=Text)
    bucket: int = Field(primary_key=True)
    bin: int = Field(primary_key=True)
    executions: int


class SubjectSpread(_Shape, table=True):
    """The same by subject; the subject stands before the bucket, for it is asked one at a time."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    __tablename__ = "subject_spread"

    grain: str = Field(primary_key=True, sa_type=Text)
    subject: str = Field(primary_key=True, sa_type=Text)
    bucket: int = Field(primary_key=True)
    bin: int = Field(primary_key=True)
    executions: int


class Run(_Shape, table=True):
    """One run. `subjects` is a JSON array of names."""

    __table_args__ = (
        Index("run_run_id", "run_id", unique=True),
        Index("run_by_start", "started_at"),
    )

    id: int = Field(primary_key=True)
    run_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    started_at: int
    ended_at: int | None
    subjects: str = Field(sa_type=Text)
    planned: int | None
    not_run: int
    bad_lines: int
    pid: int
    cancel_requested: bool


class Tally(_Shape, table=True):
    """How many executions of a run ended with a failure type."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: str = Field(primary_key=True, sa_type=Text)
    failure_type: str = Field(primary_key=True, sa_type=Text)
    executions: int


class State(_Shape, table=True):
    """One row: how many transactions have written to this file, and when the last did."""

    id: int = Field(primary_key=True)
    writes: int
    last_write_at: int
    last_id: int
    """The greatest id of an execution that retention dropped; no smaller one is given again."""


class Outbox(_Shape, table=True):
    """A failure that is on its way to Cosmos DB (`pending`), or that Cosmos DB never takes (`dead`)."""

    __table_args__ = (Index("outbox_due", "state", "due_at"),)

    execution_id: int = Field(primary_key=True)
    state: str = Field(sa_type=Text)
    added_at: int
    due_at: int
    """When it may be sent; of a dead letter, when it was set aside."""
    attempts: int
    status: int | None
    error: str | None = Field(sa_type=Text)


class Delivery(_Shape, table=True):
    """A failure that is in Cosmos DB, and what it took to bring it there; no attempts where a sync brought it here."""

    __table_args__ = (Index("delivery_by_time", "delivered_at"),)

    execution_id: int = Field(primary_key=True)
    delivered_at: int
    attempts: int
    request_charge: float
    activity_id: str = Field(sa_type=Text)
    parts: int


class Relay(_Shape, table=True):
    """One row: who delivers, until when the lease holds, and how it last went."""

    id: int = Field(primary_key=True)
    holder: str | None = Field(sa_type=Text)
    holder_pid: int | None
    holder_host: str | None = Field(sa_type=Text)
    lease_until: int
    paused: str | None = Field(sa_type=Text)
    last_error: str | None = Field(sa_type=Text)
    last_error_at: int | None
    last_success_at: int | None


class Inbox(_Shape, table=True):
    """How far the failures of other machines were read from a container."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(primary_key=True, sa_type=Text)
    watermark: int | None
    """Cosmos DB's `_ts`, in seconds."""
    synced_at: int | None
    error: str | None = Field(sa_type=Text)


class Unreadable(_Shape, table=True):
    """An item of a container that is no record this version can read, as it is."""

    source: str = Field(primary_key=True, sa_type=Text)
    item_id: str = Field(primary_key=True, sa_type=Text)
    ts: int
    reason: str = Field(sa_type=Text)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Audit(_Shape, table=True):
    """Who did what; nothing changes or drops a row."""

    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int = Field(primary_key=True)
    at: int
    who: str = Field(sa_type=Text)
    deed: str = Field(sa_type=Text)
    detail: str = Field(sa_type=Text)


execution = metadata.tables["execution"]
body = metadata.tables["body"]
kept = metadata.tables["kept"]
timeline = metadata.tables["timeline"]
rollup = metadata.tables["rollup"]
spread = metadata.tables["spread"]
subject_spread = metadata.tables["subject_spread"]
run = metadata.tables["run"]
tally = metadata.tables["tally"]
state = metadata.tables["state"]
outbox = metadata.tables["outbox"]
delivery = metadata.tables["delivery"]
relay = metadata.tables["relay"]
inbox = metadata.tables["inbox"]
unreadable = metadata.tables["unreadable"]
audit = metadata.tables["audit"]

_TYPES = {kind.value: kind for kind in FailureType} | {PASSED: None}


def type_of(failure_type: str) -> FailureType | None:
    """What a `failure_type` stands for, None for one that passed; what no failtrace writes is damage."""
    try:
        return _TYPES[failure_type]
    except KeyError as error:
        raise no_row_of_ours("failure_type") from error


failure_text = table("failure_text", column("rowid"), column("text"))
"""FTS5 over failures, contentless; the rowid is the execution's id."""

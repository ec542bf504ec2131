"""The mirror: one SQLite file that holds every execution and answers all lists, charts and look-ups."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from sqlite3 import sqlite_version
from typing import Self

from sqlalchemy import Connection, func, select

from failtrace.codec import digest
from failtrace.contracts import TraceRecord
from failtrace.errors import DamagedMirror
from failtrace.mirror import audit, bodies, lists, overview, retention, run_comparison, runs, soundness, writes
from failtrace.mirror.archive import Archive
from failtrace.mirror.bodies import Identity, StoredBody
from failtrace.mirror.counted import counted
from failtrace.mirror.engine import Database
from failtrace.mirror.inbox import Inbox
from failtrace.mirror.migrations import migrate, schema_version
from failtrace.mirror.outbox import Outbox
from failtrace.mirror.tables import kept, state
from failtrace.mirror.texts import speakable
from failtrace.mirror.times import from_micros, now, to_micros
from failtrace.mirror.views import (
    AuditRow,
    Deed,
    ExecutionRow,
    FailureFilter,
    MirrorHealth,
    Neighbours,
    Overview,
    Page,
    RunComparison,
    RunRow,
    RunState,
    Sort,
)
from failtrace.operating_user import operating_user

KEEP_PASSED = 1000
_ALL_FAILURES = FailureFilter()


class Mirror:
    """Thread-safe, and safe for several processes at once. Every method may raise StoreError.

    An id given to a method may be any text, `any_id` a trace_id or a failure_id; one that names nothing gives
    None or False.
    """

    def __init__(self, database: Database, keep_passed: int = KEEP_PASSED, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._keep_passed = keep_passed
        self._clock = clock
        self.outbox = Outbox(database, clock)
        self.inbox = Inbox(database, clock)
        self.archive = Archive(database, keep_passed, clock)

    @classmethod
    def open(cls, path: Path, keep_passed: int = KEEP_PASSED, *, clock: Callable[[], datetime] = now) -> Self:
        """The mirror at `path`, made or brought up to date if need be.

        Of passed executions, the newest `keep_passed` whole records of a subject are kept (and up to a tenth
        more, so that few writes pay for dropping), and the summaries of all. Raises StoreError where the path
        holds something else, cannot be written, or was written by a newer failtrace.
        """
        database = Database(path)
        try:
            database.prepare()
            migrate(database)
            database.pin()
        except BaseException:
            database.close()
            raise
        return cls(database, keep_passed, clock)

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self._database.path

    def connect(self) -> None:
        """Have a connection."""
        with self._reading():
            pass

    def disconnect(self) -> None:
        """Have none until the next use, as a fork does."""
        self._database.disconnect()

    def close(self) -> None:
        """Close all connections. Idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def write(
        self,
        items: Sequence[tuple[TraceRecord, bytes]],
        *,
        at: datetime | None = None,
        digests: Sequence[str] | None = None,
        outbox: bool = False,
    ) -> int:
        """Store records with their encodings, all or none; durable on return. Gives how many were new.

        With `outbox` the failures among them are to be sent to Cosmos DB, by the same transaction.
        `at` is the time of storing, now where it is None; `digests` are the sha256 of the encodings where the caller
        has them already. A trace_id that is there already stays as it is,
        its counts included. Raises FailureIdTaken where a failure_id already names another execution.
        """
        if digests is None:
            digests = [digest(body) for _, body in items]
        entries = [writes.entry_of(*item, sha256) for item, sha256 in zip(items, digests, strict=True)]
        if not entries:
            return 0
        with self._writing() as (connection, moment):
            stored_at = moment if at is None else to_micros(at)
            return writes.write(connection, entries, keep_passed=self._keep_passed, stored_at=stored_at, outbox=outbox)

    def start_run(
        self,
        run_id: str,
        *,
        subjects: Sequence[str],
        planned: int | None,
        pid: int,
        at: datetime,
        by: str | None = None,
    ) -> None:
        """File a run as running, and who started it (None: this process's account).

        Raises InputError where the run_id is taken.
        """
        with self._writing() as (connection, moment):
            runs.start(connection, run_id, subjects, planned, pid, to_micros(at))
            audit.note(connection, "started a run", by or operating_user(), f"{run_id}: {', '.join(subjects)}", moment)

    def set_planned(self, run_id: str, planned: int) -> None:
        """Say how many executions a run asked for, once that is known. Raises RecordNotFound."""
        with self._writing() as (connection, _):
            runs.set_planned(connection, run_id, planned)

    def finish_run(
        self, run_id: str, *, state: RunState, not_run: int, bad_lines: int, at: datetime, by: str | None = None
    ) -> None:
        """File a run as ended, and who stopped it where nobody had asked for that. Raises RecordNotFound."""
        with self._writing() as (connection, moment):
            if state == "cancelled" and not runs.cancel_requested(connection, run_id):
                audit.note(connection, "cancelled a run", by or operating_user(), run_id, moment)
            runs.finish(connection, run_id, state=state, not_run=not_run, bad_lines=bad_lines, at=to_micros(at))

    def request_cancel(self, run_id: str, by: str | None = None) -> bool:
        """Ask a run to stop, and file who did; False where no such run is running."""
        with self._writing() as (connection, at):
            if not speakable(run_id) or not runs.request_cancel(connection, run_id):
                return False
            audit.note(connection, "cancelled a run", by or operating_user(), run_id, at)
            return True

    def note(self, deed: Deed, detail: str, by: str | None = None) -> None:
        """File who did something that writes nothing else here (None: this process's account)."""
        with self._writing() as (connection, at):
            audit.note(connection, deed, by or operating_user(), detail, at)

    def note_once(self, deed: Deed, detail: str, by: str) -> None:
        """The same, once for this deed, person and detail."""
        with self._writing() as (connection, at):
            if not audit.is_noted(connection, deed, by, detail):
                audit.note(connection, deed, by, detail, at)

    def mark_interrupted(self, alive: Callable[[int], bool]) -> tuple[str, ...]:
        """File running runs whose pid is not `alive` as interrupted, and give their ids."""
        with self._reading() as connection:
            running = runs.running(connection)
        gone = tuple([run_id for run_id, pid in running if not alive(pid)])
        if gone:
            with self._writing() as (connection, at):
                runs.interrupt(connection, gone, at)
        return gone

    def retain(self, days: int, *, batch: int = 500) -> int:
        """Drop what ended before the start of the day `days` days ago; gives how many executions went.

        Days are those of UTC. In transactions of `batch` executions, so that nobody waits long, and all counts follow
        each. What still waits for Cosmos DB stays.
        """
        return retention.retain(self._database, now=to_micros(self._clock()), days=days, batch=batch)

    # One record

    def record(self, any_id: str) -> bytes | None:
        """The encoded record, None where there is none or its summary alone. Raises UnreadableRecord."""
        stored = self.stored(any_id)
        return stored.body if stored else None

    def stored(self, any_id: str) -> StoredBody | None:
        """As `record`, with the sha256 and the time of storing."""
        if not speakable(any_id):
            return None
        with self._reading() as connection:
            return bodies.stored_body(connection, any_id)

    def identity(self, any_id: str) -> Identity | None:
        """What an execution is stored under: failure_id, sha256 and time of storing."""
        if not speakable(any_id):
            return None
        with self._reading() as connection:
            return bodies.identity(connection, any_id)

    def execution(self, any_id: str) -> ExecutionRow | None:
        """The summary of one execution."""
        if not speakable(any_id):
            return None
        with self._reading() as connection:
            return lists.execution_row(connection, any_id)

    # Lists and numbers

    def failures(
        self,
        wanted: FailureFilter = _ALL_FAILURES,
        *,
        limit: int = 50,
        after: str | None = None,
        sort: Sort = "newest",
    ) -> Page[ExecutionRow]:
        """A page of failures. Raises InputError for a bad limit or time, and for a cursor of another sort."""
        with self._reading() as connection:
            return lists.failures(connection, wanted, limit, after, sort)

    def neighbours(self, wanted: FailureFilter, sort: Sort, failure_id: str) -> Neighbours:
        """The failures before and after one in the list that `failures` gives. Raises InputError for a bad time."""
        if not speakable(failure_id):
            return Neighbours()
        with self._reading() as connection:
            return lists.neighbours(connection, wanted, sort, failure_id)

    def passed_twin(self, any_id: str) -> ExecutionRow | None:
        """A passed execution of the same subject whose record is kept: on the same input first, else the newest."""
        if not speakable(any_id):
            return None
        with self._reading() as connection:
            return lists.passed_twin(connection, any_id)

    def last_results(self, subjects: Sequence[str]) -> dict[str, ExecutionRow]:
        """The newest execution of each of these subjects that ever ran."""
        with self._reading() as connection:
            return lists.last_results(connection, subjects)

    def executions(
        self,
        run_id: str | None = None,
        subject: str | None = None,
        *,
        passed: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[ExecutionRow]:
        """A page of executions, newest first. Raises InputError for a bad cursor or limit."""
        with self._reading() as connection:
            return lists.executions(connection, run_id, subject, passed, limit, after)

    def overview(
        self, since: datetime | None = None, until: datetime | None = None, subjects: tuple[str, ...] = ()
    ) -> Overview:
        """All numbers of the overview, in whole hours (a range of up to three days) or whole days."""
        with self._reading() as connection:
            return overview.overview(connection, since, until, subjects)

    def subjects(self) -> tuple[str, ...]:
        """The names of all subjects that ever ran, sorted."""
        with self._reading() as connection:
            return overview.subjects(connection)

    def run(self, run_id: str) -> RunRow | None:
        """One run."""
        if not speakable(run_id):
            return None
        with self._reading() as connection:
            return runs.one(connection, run_id)

    def runs(self, *, limit: int = 50, after: str | None = None) -> Page[RunRow]:
        """A page of runs, newest first. Raises InputError for a bad cursor or limit."""
        with self._reading() as connection:
            return runs.page(connection, limit, after)

    def compare_runs(self, before: str, after: str, *, limit: int = 200) -> RunComparison:
        """A later run against an earlier one, by subject and input; at most `limit` rows of each class."""
        with self._reading() as connection:
            known = [run_id if speakable(run_id) else "" for run_id in (before, after)]
            return run_comparison.compare_runs(connection, known[0], known[1], limit)

    def cancel_requested(self, run_id: str) -> bool:
        """Whether somebody asked this run to stop."""
        with self._reading() as connection:
            return speakable(run_id) and runs.cancel_requested(connection, run_id)

    def audit(self, limit: int = 20) -> tuple[tuple[AuditRow, ...], int]:
        """The last deeds, newest first, and how many there are in all."""
        with self._reading() as connection:
            return audit.newest(connection, limit), audit.count(connection)

    def data_version(self) -> int:
        """A number that changes with every write, by whichever process: the key of a cache."""
        with self._reading() as connection:
            return int(connection.execute(select(state.c.writes)).scalar_one())

    def is_sound(self) -> bool:
        """Whether every page, text, row and record of the file is as it was written; reads the whole file."""
        return self._passes(soundness.is_sound)

    def has_sound_pages(self) -> bool:
        """Whether every page of the file can be read: what damage to a disk mostly is, at 600 MB a second."""
        return self._passes(soundness.has_sound_pages)

    def health(self) -> MirrorHealth:
        """The state of the file."""
        with self._reading() as connection:
            executions, failures = overview.counts(connection)
            passed_bodies = connection.execute(select(func.coalesce(func.sum(kept.c.records), 0))).scalar_one()
            last_write = connection.execute(select(state.c.last_write_at)).scalar_one()
            return MirrorHealth(
                path=str(self.path),
                size_bytes=self._database.size_bytes(),
                sqlite_version=sqlite_version,
                schema_version=schema_version(connection),
                executions=executions,
                failures=failures,
                records=failures + passed_bodies,
                last_write_at=from_micros(last_write) if last_write else None,
            )

    def _passes(self, check: Callable[[Connection], bool]) -> bool:
        try:
            with self._reading() as connection:
                return check(connection)
        except DamagedMirror:
            return False

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._database.transaction() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """A write transaction and its time; what it writes raises `data_version`."""
        at = to_micros(self._clock())
        with counted(self._database, at) as connection:
            yield connection, at

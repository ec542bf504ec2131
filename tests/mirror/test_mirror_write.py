"""Records going in: whole, once, counted once, found again."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from support.records import NOON, failure_id_of, item, make_record, records

from failtrace.codec import digest
from failtrace.contracts import FailureType, TraceRecord
from failtrace.errors import StoreError, UnreadableRecord
from failtrace.mirror.migrations import MIGRATIONS
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.times import to_micros
from failtrace.mirror.views import ExecutionRow, FailureFilter
from failtrace.mirror.writes import input_key

EXCEPTION, TIMEOUT = FailureType.EXCEPTION, FailureType.TIMEOUT


def test_a_failure_is_found_by_both_its_ids(mirror: Mirror) -> None:
    """The bytes, their hash, the time of storing and the summary come back as they went in."""
    record, body = item(make_record(TIMEOUT, number=7, message="too slow", run_id=None))

    assert mirror.write([(record, body)], at=NOON) == 1

    for any_id in (record.trace_id, failure_id_of(7)):
        stored = mirror.stored(any_id)
        assert stored is not None
        assert (body, digest(body), NOON) == stored
        assert (record.failure_id, digest(body), NOON) == mirror.identity(any_id)
        assert mirror.execution(any_id) == ExecutionRow(
            trace_id=record.trace_id,
            failure_id=record.failure_id,
            run_id=None,
            subject="answer",
            outcome="raised",
            failure_type=TIMEOUT,
            message="too slow",
            fingerprint="00000000000000aa",
            ended_at=NOON,
            duration_ms=12.5,
            input_key=input_key(record.input).hex(),
        )


@given(record=records())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_record_can_be_kept(tmp_path: Path, record: TraceRecord) -> None:
    """Whatever the contract allows, in any of its texts and times, is stored, listed and read back equal."""
    record, body = item(record)
    with Mirror.open(tmp_path / str(uuid4())) as mirror:
        mirror.write([(record, body)])

        assert mirror.record(record.trace_id) == body
        row = mirror.executions().rows[0]
        assert row == mirror.execution(record.trace_id)
        assert (row.subject, row.run_id) == (record.subject.name, record.run_id)
        assert row.ended_at == (record.failure.occurred_at if record.failure else record.ended_at)
        assert mirror.failures().total == mirror.overview().failures == (record.failure is not None)
        assert mirror.subjects() == (record.subject.name,)


def test_a_second_write_changes_nothing(mirror: Mirror) -> None:
    """A trace that is there stays as it is: record, counts, run and search, in a batch and across batches."""
    first = make_record(number=1, message="first telling")
    mirror.write([item(first)])
    before = (mirror.overview(), mirror.health().records, mirror.failures())

    again = make_record(number=1, message="second telling", failure_type=TIMEOUT)
    new = make_record(number=2)

    assert mirror.write([item(again), item(first), item(first)]) == 0
    assert (mirror.overview(), mirror.health().records, mirror.failures()) == before
    assert mirror.failures(FailureFilter(text="second")).total == 0
    assert mirror.write([item(again), item(new), item(new)]) == 1
    assert mirror.overview().executions == 2
    assert mirror.executions(run_id="run-1").total == 2


def test_a_batch_is_all_or_nothing(mirror: Mirror) -> None:
    """A failure_id that names another execution is refused, and nothing of its batch stays behind."""
    taken = make_record(number=1)
    mirror.write([item(taken)])
    before = (mirror.overview(), mirror.data_version())
    thief = make_record(number=2)
    assert thief.failure is not None
    failure = thief.failure.model_copy(update={"failure_id": taken.failure_id})
    thief = thief.model_copy(update={"failure": failure, "failure_id": taken.failure_id})

    with pytest.raises(StoreError, match=f"'{taken.failure_id}' already names another execution"):
        mirror.write([item(make_record(number=3)), item(thief)])

    assert (mirror.overview(), mirror.data_version()) == before
    assert mirror.execution(f"{3:032x}") is None


def test_of_passed_executions_the_newest_records_stay(path: Path) -> None:
    """Per subject the newest N records are kept, by time and not by order of writing; summaries and failures all."""
    with Mirror.open(path, keep_passed=3) as mirror:
        order = [4, 0, 5, 2, 1, 3]
        passed = [make_record(None, number=n + 1, ended_at=NOON + timedelta(hours=n)) for n in order]
        for record in passed:
            mirror.write([item(record)])
        mirror.write([item(make_record(None, number=50, subject="other")), item(make_record(number=51))])

        kept = [mirror.record(f"{n + 1:032x}") is not None for n in range(6)]

        assert kept == [False, False, False, True, True, True]
        assert mirror.executions(subject="answer", passed=True).total == 6
        assert all(mirror.execution(record.trace_id) for record in passed)
        assert mirror.identity(f"{1:032x}") is not None
        assert mirror.record(f"{50:032x}") is not None
        assert mirror.record(failure_id_of(51)) is not None
        assert mirror.health().records == 5


def test_pruning_is_shared_by_many_writes(path: Path) -> None:
    """Up to a tenth more than N is kept, so that most writes drop nothing; health counts what is really there."""
    with Mirror.open(path, keep_passed=20) as mirror:
        counts = []
        for n in range(46):
            mirror.write([item(make_record(None, ended_at=NOON + timedelta(seconds=n)))])
            counts.append(mirror.health().records)
    with closing(sqlite3.connect(path)) as connection:
        bodies = connection.execute("SELECT count(*) FROM body").fetchone()[0]

    assert counts == [*range(1, 23), *[20, 21, 22] * 8]
    assert bodies == counts[-1]


def test_none_of_the_passed_may_be_kept(path: Path) -> None:
    """With a limit of 0 there are summaries only, and what an earlier limit kept goes with the next write."""
    with Mirror.open(path, keep_passed=5) as mirror:
        mirror.write([item(make_record(None, number=1))])
    with Mirror.open(path, keep_passed=0) as mirror:
        mirror.write([item(make_record(None, number=2)), item(make_record(number=3))])

        assert [mirror.record(f"{n:032x}") is not None for n in (1, 2, 3)] == [False, False, True]
        assert mirror.health().executions == 3
        assert mirror.health().records == 1


def test_a_damaged_record_is_never_given_out(mirror: Mirror, path: Path) -> None:
    """One changed bit in a stored record is noticed on reading, and said with the id."""
    record, body = item(make_record(number=1))
    mirror.write([(record, body)])
    damaged = bytearray(body)
    damaged[len(body) // 2] ^= 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE body SET body = ?", (bytes(damaged),))

    with pytest.raises(UnreadableRecord, match=failure_id_of(1)):
        mirror.record(failure_id_of(1))
    assert mirror.execution(failure_id_of(1)) is not None


def test_every_write_changes_the_data_version(mirror: Mirror, path: Path) -> None:
    """A cache keyed by it sees records, runs and cancels of any process; reading changes nothing."""
    seen = [mirror.data_version()]
    with Mirror.open(path) as other:
        other.write([item(make_record())])
        seen.append(mirror.data_version())
        other.start_run("r", subjects=["answer"], planned=1, pid=1, at=NOON)
        seen.append(mirror.data_version())
    mirror.request_cancel("r")
    seen.append(mirror.data_version())
    mirror.failures()
    mirror.overview()

    assert seen == sorted(set(seen))
    assert mirror.data_version() == seen[-1]


def test_health_says_what_is_there(path: Path) -> None:
    """The counts, the size on the disk, and when something was last written."""
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        assert mirror.health().last_write_at is None
        mirror.write([item(make_record(None)), item(make_record()), item(make_record())])
        health = mirror.health()

        assert (health.executions, health.failures, health.records) == (3, 2, 3)
        assert health.last_write_at == NOON
        assert health.size_bytes >= path.stat().st_size > 0
        assert health.schema_version == len(MIGRATIONS)
        assert health.path == str(path)
        assert health.sqlite_version == sqlite3.sqlite_version


def test_the_file_agrees_with_itself(mirror: Mirror, path: Path) -> None:
    """After many writes the counts that are kept equal the rows that are there, grain by grain."""
    kinds = [None, *FailureType]
    for n in range(40):
        batch = [
            make_record(
                kinds[(n + k) % 5], subject=f"s{k % 3}", run_id=f"r{n % 4}", ended_at=NOON + timedelta(hours=7 * n)
            )
            for k in range(5)
        ]
        mirror.write([item(record) for record in batch])
    rows = sqlite3.connect(path)
    hour = to_micros(NOON + timedelta(hours=1)) - to_micros(NOON)

    for grain, size in (("hour", hour), ("day", 24 * hour)):
        counted = rows.execute(
            "SELECT ended_at / ? * ? AS bucket, failure_type, subject, count(*), sum(duration_ms), max(duration_ms)"
            " FROM execution GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            (size, size),
        ).fetchall()
        kept = rows.execute(
            "SELECT bucket, failure_type, subject, executions, duration_ms, duration_ms_max FROM rollup"
            " WHERE grain = ? ORDER BY 1, 2, 3",
            (grain,),
        ).fetchall()
        assert counted == kept
        timeline = rows.execute("SELECT bucket, failure_type, executions FROM timeline WHERE grain = ?", (grain,))
        summed = rows.execute(
            "SELECT bucket, failure_type, sum(executions) FROM rollup WHERE grain = ? GROUP BY 1, 2", (grain,)
        )
        assert sorted(timeline.fetchall()) == sorted(summed.fetchall())
    assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows.close()

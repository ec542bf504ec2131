"""What is too old goes, as if it had never been."""

import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settable_clock import Clock
from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType, TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Buried, DeliveryMark, FailureFilter, UnreadableItem

DAYS = 3
KINDS = (None, *FailureType)
MIDNIGHT = NOON.replace(hour=0)
KEPT_FROM = MIDNIGHT - timedelta(days=DAYS)


class Told(NamedTuple):
    """An execution of the property test."""

    kind: FailureType | None
    hours_old: int
    subject: str
    run_id: str | None
    word: str
    pending: bool

    @property
    def stays(self) -> bool:
        return NOON - timedelta(hours=self.hours_old) >= KEPT_FROM or self.waits

    @property
    def waits(self) -> bool:
        return self.pending and self.kind is not None


told = st.builds(
    Told,
    kind=st.sampled_from(KINDS),
    hours_old=st.integers(0, 24 * 7),
    subject=st.sampled_from(["answer", "search", "it's"]),
    run_id=st.sampled_from([None, "r1", "r2"]),
    word=st.sampled_from(["apple", "pear", "plum"]),
    pending=st.booleans(),
)


def record_of(number: int, one: Told) -> TraceRecord:
    return make_record(
        one.kind,
        number=number,
        subject=one.subject,
        run_id=one.run_id,
        message=f"no {one.word} there",
        ended_at=NOON - timedelta(hours=one.hours_old),
    )


def fill(mirror: Mirror, executions: list[tuple[int, Told]]) -> None:
    for pending in (True, False):
        chosen = [record_of(number, one) for number, one in executions if one.pending is pending]
        mirror.write([item(record) for record in chosen], outbox=pending)


def answers(mirror: Mirror, path: Path) -> list[object]:
    """All that a page may ask, and the counts behind it."""
    with closing(sqlite3.connect(path)) as rows:
        # Durations are left out: those of an old day stay as they are as long as something of it waits.
        timeline = rows.execute("SELECT grain, bucket, failure_type, executions FROM timeline ORDER BY 1, 2, 3")
        rollup = rows.execute("SELECT grain, bucket, failure_type, subject, executions FROM rollup ORDER BY 1, 2, 3, 4")
        counts = [timeline.fetchall(), rollup.fetchall()]
        tallies = rows.execute("SELECT * FROM tally ORDER BY 1, 2").fetchall()
    health = mirror.health()
    since, until = NOON - timedelta(days=5, hours=7), NOON - timedelta(hours=5)
    return [
        counts,
        tallies,
        mirror.overview(),
        mirror.overview(since, until),
        mirror.overview(subjects=("answer",)),
        mirror.subjects(),
        (health.executions, health.failures, health.records),
        mirror.failures(),
        mirror.failures(FailureFilter(since=since)),
        mirror.failures(FailureFilter(since=since, until=until)),
        mirror.failures(FailureFilter(text="apple")),
        mirror.failures(FailureFilter(text="no pe", subjects=("search",))),
        mirror.failures(FailureFilter(fingerprint="00000000000000aa")),
        mirror.executions(),
        mirror.executions(run_id="r1"),
        mirror.executions(subject="answer", passed=True),
        mirror.outbox.pending(),
        [mirror.record(row.trace_id) for row in mirror.executions(limit=1000).rows],
    ]


@given(executions=st.lists(told, max_size=25), batch=st.integers(1, 7))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_left_is_as_if_the_rest_had_never_been(tmp_path: Path, executions: list[Told], batch: int) -> None:
    """Overview, lists, runs, search and counts equal those of a mirror that only ever got what stays."""
    folder = tmp_path / str(uuid4())
    numbered = list(enumerate(executions, 1))
    going = [one for one in executions if not one.stays]
    with (
        Mirror.open(folder / "a.sqlite", clock=lambda: NOON) as mirror,
        Mirror.open(folder / "b.sqlite", clock=lambda: NOON) as expected,
    ):
        fill(mirror, numbered)
        fill(expected, [(number, one) for number, one in numbered if one.stays])

        assert mirror.retain(DAYS, batch=batch) == len(going)
        version = mirror.data_version()
        assert mirror.retain(DAYS, batch=batch) == 0

        assert answers(mirror, mirror.path) == answers(expected, expected.path)
        assert mirror.data_version() == version


def test_nothing_of_a_dropped_execution_is_left(timed_mirror: Mirror, path: Path) -> None:
    """Record, search, delivery, dead letter, run, tally, and items that could not be read; what is younger stays."""
    mirror = timed_mirror
    old, young = NOON - timedelta(days=10), NOON - timedelta(days=1)
    for n, at in enumerate((old, young)):
        run_id, first = f"r{n}", n * 10 + 1
        mirror.start_run(run_id, subjects=["answer"], planned=3, pid=1, at=at)
        kinds = (FailureType.EXCEPTION, FailureType.TIMEOUT, None)
        batch = [make_record(kind, number=first + k, run_id=run_id, ended_at=at) for k, kind in enumerate(kinds)]
        mirror.write([item(record) for record in batch], outbox=True)
        mirror.finish_run(run_id, state="finished", not_run=0, bad_lines=0, at=at)
        sent, poison = mirror.outbox.due(10)
        mirror.outbox.delivered([DeliveryMark(sent.execution_id, NOON, 1.0, "", 0, 1)])
        mirror.outbox.bury([Buried(poison.execution_id, 400, "bad")])
        item_of = UnreadableItem(f"u{n}", int(at.timestamp()), "no record", b"{}")
        mirror.inbox.take("c", [], watermark=1, unreadable=[item_of])

    assert mirror.retain(5) == 3

    with closing(sqlite3.connect(path)) as rows:
        left = {
            table: rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("execution", "body", "outbox", "delivery", "run", "tally", "unreadable")
        }
    assert left == {
        "execution": 3,
        "body": 3,
        "outbox": 1,
        "delivery": 1,
        "run": 1,
        "tally": 3,
        "unreadable": 1,
    }
    assert mirror.failures(FailureFilter(text="order")).total == 2
    assert [row.run_id for row in mirror.runs().rows] == ["r1"]
    assert [letter.failure_id for letter in mirror.outbox.dead_letters().rows] == [failure_id_of(12)]
    assert mirror.record(failure_id_of(1)) is None


def test_durations_of_all_time_are_those_of_the_days_that_stay(timed_mirror: Mirror, path: Path) -> None:
    """A sum of floats and a maximum, of which nothing can be subtracted, huge ones included."""
    days_ago = {1: (9, 1e308), 2: (8, 1e308), 3: (1, 0.1), 4: (0, 0.2)}
    for number, (days, duration_ms) in days_ago.items():
        record = make_record(number=number, ended_at=NOON - timedelta(days=days), duration_ms=duration_ms)
        timed_mirror.write([item(record)])

    assert timed_mirror.retain(DAYS) == 2

    with closing(sqlite3.connect(path)) as rows:
        for table in ("timeline", "rollup"):
            found = rows.execute(f"SELECT executions, duration_ms, duration_ms_max FROM {table} WHERE grain = 'all'")
            assert found.fetchall() == [(2, 0.1 + 0.2, 0.2)]


def test_days_are_whole(timed_mirror: Mirror) -> None:
    """The first microsecond of the day stays, the one before it goes."""
    for number, at in enumerate((KEPT_FROM - timedelta(microseconds=1), KEPT_FROM), 1):
        timed_mirror.write([item(make_record(number=number, ended_at=at))])

    assert timed_mirror.retain(DAYS) == 1

    assert [row.failure_id for row in timed_mirror.failures().rows] == [failure_id_of(2)]
    assert timed_mirror.overview().executions == 1


def test_what_waits_stays_until_it_has_arrived(timed_mirror: Mirror) -> None:
    """However old, it is not dropped and stays counted; a dead letter is old enough to go."""
    number_of_days = timedelta(days=30)
    batch = [make_record(number=n, ended_at=NOON - number_of_days) for n in (1, 2)]
    timed_mirror.write([item(record) for record in batch], outbox=True)
    first, second = timed_mirror.outbox.due(2)

    assert timed_mirror.retain(DAYS) == 0
    assert timed_mirror.failures().total == timed_mirror.overview().failures == 2

    timed_mirror.outbox.delivered([DeliveryMark(first.execution_id, NOON, 1.0, "", 0, 1)])
    assert timed_mirror.retain(DAYS) == 1
    assert timed_mirror.failures().total == timed_mirror.overview().failures == 1

    timed_mirror.outbox.bury([Buried(second.execution_id, 400, "bad")])
    assert timed_mirror.retain(DAYS) == 1
    assert timed_mirror.failures().total == timed_mirror.overview().failures == 0


def test_a_running_run_stays(timed_mirror: Mirror) -> None:
    """However long ago it began; one without executions goes when it has ended."""
    old = NOON - timedelta(days=9)
    for name in ("running", "ended"):
        timed_mirror.start_run(name, subjects=["a"], planned=1, pid=1, at=old)
    timed_mirror.finish_run("ended", state="cancelled", not_run=1, bad_lines=0, at=old)

    assert timed_mirror.retain(DAYS) == 0

    assert [row.run_id for row in timed_mirror.runs().rows] == ["running"]


def test_a_damaged_record_never_finds_another(timed_mirror: Mirror, path: Path) -> None:
    """Its words cannot be forgotten, so nothing that comes later may bear its number, even where all else is gone."""
    old = NOON - timedelta(days=9)
    timed_mirror.write([item(make_record(number=n, message=f"word{n}", ended_at=old)) for n in (1, 2)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE body SET body = replace(body, 'word2', 'lies2') WHERE execution_id = 2")

    assert timed_mirror.retain(DAYS) == 2
    timed_mirror.write([item(make_record(number=n, message="later")) for n in (3, 4)])

    for word in ("word1", "word2", "lies2"):
        assert timed_mirror.failures(FailureFilter(text=word)).rows == ()
    assert len(timed_mirror.failures(FailureFilter(text="later")).rows) == 2


def test_several_may_retain_at_once(timed_mirror: Mirror) -> None:
    """Each execution is dropped, uncounted and forgotten by one of them alone."""
    ages = [timedelta(days=9 if n % 2 else 1, minutes=n) for n in range(120)]
    timed_mirror.write([item(make_record(ended_at=NOON - age)) for age in ages])
    at_once = threading.Barrier(3)

    def retain(_: int) -> int:
        at_once.wait()
        return timed_mirror.retain(DAYS, batch=3)

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(retain, range(3))) == 60
    assert timed_mirror.overview().failures == timed_mirror.failures().total == 60
    assert timed_mirror.failures(FailureFilter(text="order")).total == 60


def test_pages_see_that_something_went(timed_mirror: Mirror, clock: Clock) -> None:
    """Dropping raises the data version; finding nothing to drop does not."""
    timed_mirror.write([item(make_record())])
    version = timed_mirror.data_version()
    timed_mirror.retain(DAYS)
    assert timed_mirror.data_version() == version

    clock.add(days=9)
    assert timed_mirror.retain(DAYS) == 1
    assert timed_mirror.data_version() > version


RETAIN = """
import sys
sys.path[:0] = sys.argv[2:]
from datetime import timedelta
from pathlib import Path
from support.records import NOON
from failtrace.mirror.mirror import Mirror
print(Mirror.open(Path(sys.argv[1]), clock=lambda: NOON).retain(3, batch=2), flush=True)
"""


def test_kill_9_between_batches_loses_no_count(path: Path) -> None:
    """Killed in the middle, time after time, the file agrees with itself, and the last call ends what was begun."""
    root = Path(__file__).parents[2]
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        old = [make_record(KINDS[n % 5], ended_at=NOON - timedelta(days=4, hours=n % 30)) for n in range(400)]
        mirror.write([item(record) for record in (*old, make_record())])
        for _ in range(3):
            before = mirror.overview().executions
            command = [sys.executable, "-c", RETAIN, str(path), str(root), str(root / "tests")]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as retainer:
                while retainer.poll() is None and mirror.overview().executions > before - 20:
                    pass
                retainer.send_signal(signal.SIGKILL)
            left = mirror.executions(limit=1000)
            assert len(left.rows) == left.total == mirror.overview().executions < before
            assert len(mirror.failures(FailureFilter(text="order"), limit=1000).rows) == mirror.failures().total

        mirror.retain(DAYS)

        assert mirror.overview().executions == mirror.executions().total == 1
        assert mirror.health().records == 1

"""Many processes and threads on one file."""

import multiprocessing
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from support.records import NOON, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

SPAWN = multiprocessing.get_context("spawn")
BATCHES, BATCH = 40, 5


def write_batches(path: Path, writer: int, ready: Connection) -> None:
    """What a writer process does: open (all at once, on a fresh file), then write its own records, and one shared."""
    ready.recv()
    with Mirror.open(path) as mirror:
        for n in range(BATCHES):
            first = 1_000_000 * (writer + 1) + n * BATCH
            batch = [
                make_record(
                    None if k % 2 else FailureType.TIMEOUT,
                    number=first + k,
                    run_id=f"run-{n % 3}",
                    ended_at=NOON + timedelta(minutes=n),
                )
                for k in range(BATCH)
            ]
            mirror.write([item(record) for record in batch])
            mirror.write([item(make_record(number=500_000 + n, ended_at=NOON, run_id=None))])


def test_three_writers_and_a_reader(path: Path) -> None:
    """Processes that open a fresh file at once and write at once all succeed; whoever reads sees whole batches."""
    pipes = [SPAWN.Pipe() for _ in range(3)]
    writers = [
        SPAWN.Process(target=write_batches, args=(path, number, theirs)) for number, (_, theirs) in enumerate(pipes)
    ]
    for writer in writers:
        writer.start()
    for ours, _ in pipes:
        ours.send("go")
    seen = []
    with Mirror.open(path) as mirror:
        while any(writer.is_alive() for writer in writers):
            seen.append(mirror.overview().executions)
            page = mirror.failures(limit=10_000)
            assert len(page.rows) == page.total
        for writer in writers:
            writer.join()

        assert [writer.exitcode for writer in writers] == [0, 0, 0]
        assert seen == sorted(seen)
        assert mirror.overview().executions == 3 * BATCHES * BATCH + BATCHES
        assert mirror.failures().total == 3 * BATCHES * 3 + BATCHES
        assert mirror.executions(passed=True).total == 3 * BATCHES * 2
        assert sum(mirror.executions(run_id=f"run-{n}").total for n in range(3)) == 3 * BATCHES * BATCH
        assert mirror.execution(f"{3_000_000:032x}") is not None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM execution").fetchone() == (3 * BATCHES * BATCH + BATCHES,)


def test_threads_share_a_mirror(mirror: Mirror) -> None:
    """Threads of a page and of a runner write and read through one object, more than it has connections at hand."""
    started = threading.Barrier(24)

    def use(number: int) -> int:
        started.wait()
        written = mirror.write([item(make_record(number=number * 10 + k + 1)) for k in range(5)])
        assert mirror.execution(f"{number * 10 + 1:032x}") is not None
        assert mirror.failures(limit=1).rows
        return written

    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(use, range(24))) == [5] * 24
    assert mirror.overview().failures == 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_connects_anew(mirror: Mirror, path: Path) -> None:
    """Parent and child go on with the same object, also when the fork falls into a write of another thread."""
    mirror.write([item(make_record(number=1))])
    # The lock of the parent is held at the fork, as by a thread that is writing at that moment.
    with mirror._database._handle.writing:
        child = os.fork()
        if child == 0:
            try:
                written = mirror.write([item(make_record(number=2))])
                os._exit(0 if (written, mirror.overview().executions) == (1, 2) else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    mirror.write([item(make_record(number=3))])
    assert mirror.overview().executions == 3
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

"""What a host that fails without end takes of a disk that is full, or of one whose store is out of order."""

import sqlite3
from pathlib import Path

from support.watched import program, recorded

from failtrace.capture import watch_journal
from failtrace.capture.watch_story import DROPPED
from failtrace.contracts import Raised
from failtrace.recover import recover
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore

FAILS = """
    from failtrace import watch
    from failtrace.watching import status

    @watch
    def fail(number):
        raise ValueError(text + str(number))

    def fail_often(times):
        for number in range(times):
            try:
                fail(number)
            except ValueError:
                pass
"""


def test_a_store_that_is_out_of_order_fills_no_disk(tmp_path: Path) -> None:
    """What was left to a recovery counts: the journal has as many segments as it may, and the rest is dropped."""
    mirror = Settings.load().mirror_path
    mirror.parent.mkdir(parents=True, exist_ok=True)
    newer = sqlite3.connect(mirror)
    newer.execute("PRAGMA user_version = 99")
    newer.execute("CREATE TABLE execution (id)")
    newer.close()

    done = program(
        tmp_path,
        f"""
    {FAILS}
    from failtrace.capture import watch_journal
    watch_journal.MAX_SEGMENT = 20_000  # the real 4 MiB take minutes to fill
    from failtrace.recorder import recorder
    text = "x" * 5000
    for _ in range(20):
        fail_often(50)
        recorder().flush(5.0)
    print(status().dropped)
    """,
    )

    kept = list(Settings.load().journal_path.glob("*.watch"))
    assert int(done.stdout) > 0, done.stderr
    assert len(kept) <= watch_journal.MAX_SEGMENTS


def test_on_a_full_disk_no_call_is_told_as_lost_and_drops_are_counted(tmp_path: Path) -> None:
    """A call whose end did not fit is none that its program took with it; later records say how many are missing."""
    done = program(
        tmp_path,
        f"""
    import resource, signal
    {FAILS}
    text = "x" * 200
    fail_often(1)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # No file grows beyond that, as on a disk that is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    fail_often(3000)
    from failtrace.watching import flush
    flush(1.0)
    print(status().dropped)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    fail_often(1)
    print(status().dropped)
    """,
    )
    # The recorder may drop one meanwhile.
    before, after = map(int, done.stdout.split())

    with TraceStore.open() as store:
        recover(Settings.load().journal_path, store)
    records = recorded()
    assert before > 0, done.stderr
    assert [type(record.outcome) for record in records] == [Raised] * len(records)
    assert before <= records[-1].attributes[DROPPED] <= after

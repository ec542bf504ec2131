"""Files of earlier versions come to the present shape, in place and with all that is in them."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror import audit, migrations, spread, writes
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import FailureFilter

OLD_EXECUTION = """
    INSERT INTO execution (id, trace_id, failure_id, run_id, subject, outcome, failure_type, message,
                           fingerprint, ended_at, duration_ms, sha256, stored_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14)
"""


def first_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file as the first release made and filled it."""
    with monkeypatch.context() as then:
        # The first shape, and a write without what has come since.
        then.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        then.setattr(writes, "_LAST_ID", "SELECT coalesce(max(id), 0) FROM execution")
        then.setattr(writes, "_ADD_EXECUTION", OLD_EXECUTION)
        then.setattr(spread, "add", lambda connection, ended: None)
        then.setattr(audit, "note", lambda *_: None)
        with Mirror.open(path, clock=lambda: NOON) as mirror:
            assert mirror.health().schema_version == 1
            mirror.start_run("run-1", subjects=["answer"], planned=3, pid=1, at=NOON)
            mirror.write([item(make_record(n, number=k)) for k, n in enumerate((None, *FailureType), 1)])


def test_a_file_of_the_first_version_migrates_in_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records, lists, runs and search stay; what is new works on what was there; opening once more changes nothing."""
    first_version(path, monkeypatch)
    shutil.copy(path, path.with_name("fresh.sqlite"))

    for _ in range(2):
        with Mirror.open(path, clock=lambda: NOON) as mirror:
            health = mirror.health()
            assert (health.schema_version, health.executions, health.failures) == (len(migrations.MIGRATIONS), 5, 4)
            assert mirror.record(failure_id_of(2)) == item(make_record(FailureType.VALIDATION_ERROR, number=2))[1]
            assert mirror.failures(FailureFilter(text="order")).total == 4
            run = mirror.run("run-1")
            assert run is not None
            assert (run.passed, run.failed) == (1, 4)
            assert (mirror.outbox.pending(), mirror.outbox.undelivered(), mirror.outbox.status().holder) == (0, 4, None)
            assert mirror.inbox.watermark("any") is None
            durations = mirror.overview().durations
            assert durations is not None
            assert durations.p50_ms == durations.p95_ms == pytest.approx(12.5, rel=0.1)
            assert mirror.execution(failure_id_of(2)).input_key is None

    with Mirror.open(path, clock=lambda: NOON + timedelta(days=9)) as mirror:
        assert mirror.outbox.enqueue_undelivered() == 4
        assert mirror.retain(3) == 1
        assert mirror.write([item(make_record(number=50))], outbox=True) == 1
        assert mirror.outbox.pending() == mirror.failures().total == 5

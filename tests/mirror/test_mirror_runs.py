"""Runs: their life and their counts."""

from datetime import timedelta

import pytest
from support.records import NOON, item, make_record

from failtrace.contracts import FailureType
from failtrace.errors import InputError, RecordNotFound
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import RunRow

NOTHING = dict.fromkeys(FailureType, 0)


def test_a_run_from_start_to_end(mirror: Mirror) -> None:
    """Its counts follow the records that name it, in the same moment; its end says what was not run."""
    mirror.start_run("r1", subjects=["answer", 'it\'s "b"'], planned=None, pid=42, at=NOON)
    assert mirror.run("r1") == RunRow(
        "r1", "running", NOON, None, ("answer", 'it\'s "b"'), None, 0, NOTHING, 0, 0, 42, False
    )

    mirror.set_planned("r1", 5)
    mirror.write(
        [
            item(make_record(None, run_id="r1")),
            item(make_record(FailureType.TIMEOUT, run_id="r1")),
            item(make_record(run_id="other")),
            item(make_record(run_id=None)),
        ]
    )
    halfway = mirror.run("r1")
    mirror.finish_run("r1", state="cancelled", not_run=3, bad_lines=1, at=NOON + timedelta(minutes=1))

    by_type = NOTHING | {FailureType.TIMEOUT: 1}
    assert halfway == RunRow("r1", "running", NOON, None, ("answer", 'it\'s "b"'), 5, 1, by_type, 0, 0, 42, False)
    assert (halfway.executions, halfway.failed) == (2, 1)
    assert mirror.run("r1") == RunRow(
        run_id="r1",
        state="cancelled",
        started_at=NOON,
        ended_at=NOON + timedelta(minutes=1),
        subjects=("answer", 'it\'s "b"'),
        planned=5,
        passed=1,
        by_type=by_type,
        not_run=3,
        bad_lines=1,
        pid=42,
        cancel_requested=False,
    )


def test_cancelling_reaches_a_running_run_only(mirror: Mirror) -> None:
    """The answer says whether there was anything to cancel."""
    mirror.start_run("r1", subjects=["a"], planned=1, pid=1, at=NOON)

    assert not mirror.cancel_requested("r1")
    assert mirror.request_cancel("r1")
    assert mirror.cancel_requested("r1")
    mirror.finish_run("r1", state="cancelled", not_run=0, bad_lines=0, at=NOON)
    assert not mirror.request_cancel("r1")
    assert not mirror.request_cancel("none such")
    assert not mirror.cancel_requested("none such")


def test_runs_are_listed_newest_first(mirror: Mirror) -> None:
    """Pages put together are all runs, those of the same moment included."""
    for n in range(7):
        mirror.start_run(f"r{n}", subjects=["a"], planned=1, pid=n, at=NOON + timedelta(hours=n // 2))
    mirror.write([item(make_record(run_id="r3"))])

    seen, after = [], None
    while True:
        page = mirror.runs(limit=3, after=after)
        seen += page.rows
        assert page.total == 7
        after = page.after
        if after is None:
            break

    assert [row.run_id for row in seen] == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    assert [row.executions for row in seen] == [0, 0, 0, 1, 0, 0, 0]


def test_a_run_whose_process_is_gone_was_interrupted(late_mirror: Mirror) -> None:
    """Only running runs are asked for, and only the dead among them change."""
    mirror = late_mirror
    for n in (1, 2, 3):
        mirror.start_run(f"r{n}", subjects=["a"], planned=1, pid=n, at=NOON)
    mirror.finish_run("r3", state="finished", not_run=0, bad_lines=0, at=NOON)
    asked: list[int] = []

    def alive(pid: int) -> bool:
        asked.append(pid)
        return pid == 2

    assert mirror.mark_interrupted(alive) == ("r1",)
    assert sorted(asked) == [1, 2]
    states = {row.run_id: (row.state, row.ended_at) for row in mirror.runs().rows}
    later = NOON + timedelta(hours=5)
    assert states == {"r1": ("interrupted", later), "r2": ("running", None), "r3": ("finished", NOON)}
    version = mirror.data_version()
    assert mirror.mark_interrupted(alive) == ()
    assert mirror.data_version() == version


def test_wrong_run_ids_are_said(mirror: Mirror) -> None:
    """A run_id is used once, and a run is started before it ends."""
    mirror.start_run("r1", subjects=["a"], planned=1, pid=1, at=NOON)

    with pytest.raises(InputError, match="'r1' exists already"):
        mirror.start_run("r1", subjects=["a"], planned=1, pid=1, at=NOON)
    with pytest.raises(RecordNotFound, match="No run has the id 'r2'"):
        mirror.set_planned("r2", 3)
    with pytest.raises(RecordNotFound, match="No run has the id 'r2'"):
        mirror.finish_run("r2", state="finished", not_run=0, bad_lines=0, at=NOON)
    assert mirror.runs().total == 1

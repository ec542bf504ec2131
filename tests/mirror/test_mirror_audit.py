"""Who did what: filed with the deed, by the account where nobody else is named, and never changed."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.records import NOON
from support.secret_samples import TOKEN

from failtrace.errors import InputError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import RunState

ACCOUNT = pwd.getpwuid(os.getuid()).pw_name


def deeds(mirror: Mirror) -> list[tuple[str, str, str]]:
    """Oldest first."""
    return [(row.who, row.deed, row.detail) for row in reversed(mirror.audit(100)[0])]


@pytest.fixture
def mirror(path: Path) -> Iterator[Mirror]:
    with Mirror.open(path, clock=lambda: NOON) as opened:
        yield opened


def start(mirror: Mirror, run_id: str, by: str | None = None) -> None:
    mirror.start_run(run_id, subjects=["answer", "ask"], planned=None, pid=1, at=NOON, by=by)


def test_every_run_names_who_started_it(mirror: Mirror) -> None:
    """By the transaction that files the run: one that is refused leaves no entry, one that is there has one."""
    start(mirror, "run-1", by="ada@example.test")
    start(mirror, "run-2")
    with pytest.raises(InputError):
        start(mirror, "run-2", by="eve@example.test")

    assert deeds(mirror) == [
        ("ada@example.test", "started a run", "run-1: answer, ask"),
        (ACCOUNT, "started a run", "run-2: answer, ask"),
    ]
    assert mirror.audit(1)[1] == 2
    assert mirror.audit(1)[0][0].at == NOON


@pytest.mark.parametrize("state", ["finished", "cancelled", "interrupted"])
@pytest.mark.parametrize("asked", [True, False])
def test_a_run_that_was_stopped_names_who_did(mirror: Mirror, state: RunState, asked: bool) -> None:
    """Once: by who asked for it, or by whoever's run stopped itself (Ctrl-C); an end of its own names nobody."""
    start(mirror, "run-1")
    if asked:
        assert mirror.request_cancel("run-1", "ada@example.test")
    mirror.finish_run("run-1", state=state, not_run=0, bad_lines=0, at=NOON)

    stopped = [("ada@example.test", "cancelled a run", "run-1")] if asked else []
    if state == "cancelled" and not asked:
        stopped = [(ACCOUNT, "cancelled a run", "run-1")]
    assert deeds(mirror)[1:] == stopped
    assert not mirror.request_cancel("run-1", "eve@example.test")
    assert deeds(mirror)[1:] == stopped


def test_hostile_names_are_kept_bounded(mirror: Mirror) -> None:
    """Lone surrogates, markup and a megabyte: an entry is text of a bounded length, and once is once for it too."""
    for _ in range(2):
        mirror.note_once("logged in", "\ud800" + "d" * 2**20, "<b>\udfff" + "n" * 2**20)
    mirror.note("exported", "7 failures", "'; DROP TABLE audit; --")

    (first, second), total = mirror.audit()[0][::-1], mirror.audit()[1]
    assert total == 2
    assert (first.who[:4], len(first.who), len(first.detail)) == ("<b>\ufffd", 320, 1000)
    assert second.who == "'; DROP TABLE audit; --"


def test_a_deed_tells_no_secret(mirror: Mirror) -> None:
    """Neither in its detail nor in the name of who did it."""
    mirror.note("exported", f"1 execution to /tmp/{TOKEN}.jsonl", f"bob:{TOKEN}")

    (row,), _ = mirror.audit()

    assert TOKEN not in f"{row}"
    assert row.detail.startswith("1 execution to /tmp/")

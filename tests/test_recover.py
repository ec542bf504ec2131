"""What the next start makes of a journal that a killed program left."""

import json
import os
import shutil
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.kill import kill_runners

from failtrace import TraceStore
from failtrace.capture.watch_segment import LIVE as LIVE_LINE
from failtrace.capture.watch_segment import MAX_OVERLONG, WatchSegment
from failtrace.capture.watch_status import FOLDER, read_statuses
from failtrace.capture.watch_story import ids
from failtrace.recover import MOST_READ, Recovery, find_in_journal, recover
from failtrace.services import open_services

START = 1_700_000_000_000_000_000
TRACE, FAILURE = "1" * 32, "01890a5d-ac96-774b-bcce-b302099a8057"
ENVIRONMENT = {
    "python": "3.11", "platform": "p", "failtrace": "0", "git_commit": None, "git_dirty": None, "pid": 1,
}  # fmt: skip
OPEN: dict[str, Any] = {
    "k": "open", "t": START, "trace_id": TRACE, "failure_id": FAILURE, "run_id": None,
    "subject": {"name": "s", "version": None, "source": "m:s"}, "timeout": 2.0, "limits": {}, "input": None,
    "attributes": {}, "environment": {**ENVIRONMENT, "isolation": "process"}, "marks": {"cut": 0, "redacted": 0},
}  # fmt: skip
LIVE: dict[str, Any] = {
    "t": START, "subject": {"name": "w", "version": None, "source": "m:w"}, "timeout": 0.0, "sample": 0.0,
    "input": None, "marks": {"cut": 0, "redacted": 0},
}  # fmt: skip
SALT = "a" * 32


@pytest.fixture
def journal(clean_environment: Path) -> Path:
    folder = clean_environment / "journal"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store() -> Iterator[TraceStore]:
    with TraceStore.open("memory") as opened:
        yield opened


@pytest.fixture
def nobody_waits_for_ever() -> Iterator[None]:
    """Whoever waits at a pipe fails the test."""

    def raises(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, raises)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def execution(trace_id: str = TRACE, failure_id: str = FAILURE) -> bytes:
    """The segment of an execution whose processes were lost as it began."""
    lines: tuple[dict[str, Any], ...] = (
        {**OPEN, "trace_id": trace_id, "failure_id": failure_id},
        {"k": "begin", "t": START},
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def watched(folder: Path, calls: int = 1) -> bytes:
    """The segment of a host that was lost in so many calls."""
    path = folder / "host"
    segment = WatchSegment(path, {"salt": SALT, "environment": {**ENVIRONMENT, "isolation": "inline"}}, 0)
    for number in range(1, calls + 1):
        segment.begin(number, LIVE_LINE % (number, json.dumps(LIVE).encode()[1:-1]))
    segment.disown()
    told = path.read_bytes()
    path.unlink()
    return told


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_killed_runners_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    """After `kill -9` of `failtrace run`, every ended execution is there once and every open one is a failure."""
    kill_runners(3, tmp_path, seed=1)


@pytest.mark.parametrize(
    "number", [b"[1]", b"{}", b"null", b'"1"', b"1.0", b"true"], ids=["list", "dict", "null", "text", "float", "bool"]
)
def test_a_line_of_no_call_costs_itself_alone(journal: Path, store: TraceStore, tmp_path: Path, number: bytes) -> None:
    """The calls beside it are recorded, the segment is set aside and counted, and the next start finds nothing."""
    (journal / "a.watch").write_bytes(watched(tmp_path, calls=2).replace(b'"c":1,', b'"c":%b,' % number))

    assert find_in_journal(journal, TRACE) is None
    assert recover(journal, store) == Recovery(1, 1, 1)
    assert names(journal) == ["a.0.unreadable"]
    assert recover(journal, store) == Recovery()
    assert store.get_trace(ids(SALT, 2, START)[0]) is not None


@pytest.mark.usefixtures("nobody_waits_for_ever")
@pytest.mark.parametrize("suffix", [".jsonl", ".watch"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "dangling link", "link to a pipe"])
def test_what_is_no_file_is_no_segment(
    journal: Path, store: TraceStore, tmp_path: Path, suffix: str, kind: str
) -> None:
    """It is left as it is, and keeps neither a start nor a look-up waiting."""
    strange, target = journal / f"strange{suffix}", tmp_path / "target"
    if kind == "pipe":
        os.mkfifo(strange)
    elif kind == "folder":
        strange.mkdir()
    else:
        strange.symlink_to(target)
    if kind == "link":
        target.write_bytes(execution())
    elif kind == "link to a pipe":
        os.mkfifo(target)
    (journal / "whole.jsonl").write_bytes(execution())

    assert find_in_journal(journal, "0" * 32) is None
    assert recover(journal, store) == Recovery(1, 1)
    assert names(journal) == [strange.name]


@pytest.mark.usefixtures("nobody_waits_for_ever")
def test_a_status_that_is_a_pipe_is_none(clean_environment: Path) -> None:
    """Nobody waits for it."""
    folder = clean_environment / FOLDER
    folder.mkdir(parents=True)
    os.mkfifo(folder / "1.status.json")

    assert read_statuses(folder) == ()


@pytest.mark.parametrize("first", ["original", "copy"])
def test_a_copy_with_another_trace_id_is_set_aside(journal: Path, store: TraceStore, first: str) -> None:
    """Of two that claim one failure_id the first is recorded, the other told, and the start goes on to the third."""
    twin = execution(trace_id="2" * 32)
    original, copy = ("a", "b") if first == "original" else ("b", "a")
    (journal / f"{original}.jsonl").write_bytes(execution())
    (journal / f"{copy}.jsonl").write_bytes(twin)
    (journal / "c.jsonl").write_bytes(execution("3" * 32, FAILURE.replace("0", "a", 1)))

    assert recover(journal, store) == Recovery(2, 2, 1)
    assert names(journal) == ["b.0.unreadable"]


def test_what_was_set_aside_is_not_written_over(journal: Path, store: TraceStore) -> None:
    """Segments of one name that come to nothing one after the other are all there afterwards."""
    for text in ("one", "two"):
        for suffix in (".jsonl", ".watch"):
            (journal / f"a{suffix}").write_text(text)
        assert recover(journal, store) == Recovery(unreadable=2)

    assert [path.read_text() for path in sorted(journal.iterdir())] == ["one", "one", "two", "two"]


@pytest.mark.parametrize("suffix", [".jsonl", ".watch"])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_segment_damaged_in_every_line_is_told(
    journal: Path, store: TraceStore, tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    """It is recorded, or set aside and counted, whichever byte of each line was changed; never just gone."""
    damaged = b"\n".join(
        map(data.draw, map(_damaged, (execution() if suffix == ".jsonl" else watched(tmp_path)).split(b"\n")))
    )
    (journal / f"a{suffix}").write_bytes(damaged)

    found = recover(journal, store)
    aside = [path.read_bytes() for path in journal.iterdir()]
    shutil.rmtree(journal)
    journal.mkdir()

    assert found.records or found.unreadable
    assert aside == [damaged] * found.unreadable


@pytest.mark.parametrize(
    ("suffix", "was", "became"),
    [
        pytest.param(".jsonl", b'{"k"', b'("k"', id="execution"),
        pytest.param(".watch", b'{"k"', b'("k"', id="host"),
        pytest.param(".watch", b'{"k":"live"', b'("k":"live"', id="call"),
        pytest.param(".watch", b'"live"', b'"lime"', id="kind-of-call"),
    ],
)
def test_a_segment_of_which_nothing_can_be_read_is_set_aside(
    journal: Path, store: TraceStore, tmp_path: Path, suffix: str, was: bytes, became: bytes
) -> None:
    """Lines that are all torn are not nothing: somebody's execution stood there."""
    damaged = (execution() if suffix == ".jsonl" else watched(tmp_path)).replace(was, became)
    (journal / f"a{suffix}").write_bytes(damaged)

    assert recover(journal, store) == Recovery(unreadable=1)
    assert (journal / "a.0.unreadable").read_bytes() == damaged


def _damaged(line: bytes) -> st.SearchStrategy[bytes]:
    places = st.tuples(st.integers(0, max(0, len(line) - 1)), st.integers(0, 255))
    return places.map(lambda place: line[: place[0]] + bytes([place[1]]) + line[place[0] + 1 :] if line else line)


@pytest.mark.parametrize("suffix", [".jsonl", ".watch"])
def test_a_segment_without_a_byte_is_gone(journal: Path, store: TraceStore, suffix: str) -> None:
    """Its process was killed before it wrote anything: there is nothing to tell."""
    (journal / f"a{suffix}").touch()

    assert (recover(journal, store), names(journal)) == (Recovery(), [])


@pytest.mark.parametrize("suffix", MOST_READ)
def test_a_segment_that_nobody_can_have_written_is_not_read(journal: Path, store: TraceStore, suffix: str) -> None:
    """One byte beyond the limit, it is set aside without taking memory for it, and a look-up passes it by."""
    path = journal / f"a{suffix}"
    path.touch()
    os.truncate(path, MOST_READ[suffix] + 1)
    tracemalloc.start()
    try:
        assert find_in_journal(journal, TRACE) is None
        assert recover(journal, store) == Recovery(unreadable=1)
        assert tracemalloc.get_traced_memory()[1] < MOST_READ[suffix] / 16
    finally:
        tracemalloc.stop()

    assert names(journal) == ["a.0.unreadable"]


def test_the_largest_segment_of_a_host_is_read(journal: Path, store: TraceStore) -> None:
    """Its writer takes no line any more long before the limit."""
    path = journal / "a.watch"
    segment = WatchSegment(path, {"salt": SALT, "environment": {**ENVIRONMENT, "isolation": "inline"}}, 0)
    segment.begin(1, LIVE_LINE % (1, json.dumps(LIVE).encode()[1:-1]))
    line = b'\n{"c":1,"k":"start","id":"%016d","p":null,"n":"%b","t":%d,"a":{}}'
    for number in range(4):
        segment.append(1, line % (number, b"n" * (MAX_OVERLONG - 1000), START))
    segment.disown()

    assert MAX_OVERLONG < path.stat().st_size < MOST_READ[".watch"]
    assert recover(journal, store) == Recovery(1, 1)


def test_every_start_tells_what_it_set_aside(journal: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One sentence, at the start that found it."""
    (journal / "a.jsonl").write_text("nothing of ours")
    with caplog.at_level("WARNING", "failtrace"):
        for _ in range(2):
            open_services().close()

    assert [record.getMessage().partition(" of ")[0] for record in caplog.records] == ["Set aside 1 segment"]

"""The journal: whole lines only, torn ones counted, and a lock that lives as long as anybody works on a segment."""

import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failtrace.capture.journal import JournalWriter, Segment, parse_journal, segments
from failtrace.errors import ExecutionError

TRACE = "a" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc\n\"", max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(values=st.lists(JSON, max_size=5))
def test_lines_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, values: list[object]) -> None:
    """line -> bytes -> line is equal, line ends inside values included."""
    segment = Segment.create(tmp_path_factory.mktemp("journal"), TRACE)
    for value in values:
        segment.writer().write({"k": "x", "value": value})

    read = segment.read()
    segment.leave()

    assert [line["value"] for line in read.lines] == values
    assert read.torn == 0


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_torn_last_line_is_counted(tmp_path: Path, cut: int) -> None:
    """Wherever a write was cut short, the lines before it are whole and the torn one is counted."""
    segment = Segment.create(tmp_path, TRACE)
    segment.writer().write({"k": "first"})
    length = segment.path.stat().st_size
    segment.writer().write({"k": "second", "text": "x" * 30})
    os.truncate(segment.path, length + cut)

    read = segment.read()

    assert ([line["k"] for line in read.lines], read.torn) == (["first"], 1)


def test_a_line_that_is_no_object_of_ours_is_torn() -> None:
    """Bytes of anybody else's are counted, never an error."""
    read = parse_journal(b'[1]\n42\n{"no": "kind"}\n\xff\xfe\n' + b"[" * 100_000 + b'\n{"k":"fine"}\n')
    assert ([line["k"] for line in read.lines], read.torn) == (["fine"], 5)


def test_a_segment_in_use_cannot_be_claimed(tmp_path: Path) -> None:
    """The lock is held by every process that has the descriptor, and free once the last of them is gone."""
    segment = Segment.create(tmp_path, TRACE)
    # No fork of this process: that one lets go of the segments by itself.
    holder = subprocess.Popen(["sleep", "600"], pass_fds=[segment.fd])
    path = segment.path
    segment.leave()

    claimed_while_alive = Segment.claim(path)
    holder.kill()
    holder.wait(10)
    claimed = Segment.claim(path)

    assert claimed_while_alive is None
    assert claimed is not None
    claimed.discard()
    assert (list(segments(tmp_path)), Segment.claim(path)) == ([], None)


def test_a_full_disk_is_counted_not_raised(tmp_path: Path) -> None:
    """A line that the disk does not take is lost and counted; the writer goes on."""
    segment = Segment.create(tmp_path, TRACE)
    writer = JournalWriter(segment.fd)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        written = [writer.write({"k": "x", "text": "y" * 60}) for _ in range(3)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert (written, writer.lost_lines) == ([True, False, False], 2)
    assert json.loads(segment.path.read_bytes().split(b"\n")[0])["k"] == "x"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """The sentence names the path and FAILTRACE_HOME."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ExecutionError, match=r"Cannot write the journal .*FAILTRACE_HOME"):
        Segment.create(tmp_path / "file" / "journal", TRACE)

"""`failtrace export` and `failtrace import`: a backup equal afterwards, and files that are not what they say."""

import gzip
import io
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.read_only import read_only
from support.records import NOON, item, make_record, records

from failtrace.cli.export import import_command
from failtrace.codec import digest, encode_record
from failtrace.contracts import FailureType, TraceRecord
from failtrace.errors import InputError
from failtrace.exchange import archive
from failtrace.exchange.archive import Bad, End
from failtrace.mirror.archive import Archived
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import FailureFilter
from failtrace.mirror.writes import entry_of

HEADER = archive.header()


def failtrace(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "failtrace", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, env={"FAILTRACE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    )


def everything(mirror: Mirror) -> object:
    """All that a reader can ask a mirror for."""
    rows = mirror.executions(limit=1000).rows
    return (
        rows,
        [mirror.stored(row.trace_id) for row in rows],
        mirror.overview(),
        mirror.runs().rows,
        [mirror.failures(FailureFilter(text=text), sort="longest").rows for text in ("", "order", "nothing")],
        mirror.health().records,
    )


def deeds(mirror: Mirror) -> list[tuple[str, str]]:
    """What was done there, newest first."""
    return [(row.deed, row.detail) for row in mirror.audit()[0]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Runs, failures of each type, and more passed executions than whole records are kept of."""
    home = tmp_path / "home"
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.start_run("run-1", subjects=["answer"], planned=9, pid=1, at=NOON)
        for number, kind in enumerate(FailureType, 1):
            at = NOON + timedelta(hours=number)
            mirror.write([item(make_record(kind, number=number, ended_at=at))], at=at)
        mirror.write([item(make_record(None, number=n, duration_ms=float(n))) for n in range(100, 1300)], at=NOON)
        mirror.finish_run("run-1", state="finished", not_run=1, bad_lines=2, at=NOON)
        assert mirror.health().records < mirror.health().executions
    return home


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_a_restored_backup_is_equal(home: Path, tmp_path: Path, name: str) -> None:
    """Executions, records byte for byte, times of storing, counts, percentiles, runs, search: all as it was."""
    file, other = tmp_path / name, tmp_path / "other"

    out, back = failtrace(home, "export", str(file), "--json"), failtrace(other, "import", str(file), "--json")
    again = failtrace(other, "import", str(file), "--json")

    assert (out.returncode, out.stderr, back.returncode, back.stderr) == (0, "", 0, "")
    assert json.loads(out.stdout)["executions"] == 1204
    assert {**json.loads(back.stdout)} == {
        "type": "import",
        "executions": 1204,
        "new": 1204,
        "runs": 1,
        "bad_lines": 0,
        "whole": True,
    }
    assert (json.loads(again.stdout)["new"], json.loads(again.stdout)["runs"]) == (0, 0)
    with Mirror.open(home / "mirror.sqlite") as one, Mirror.open(other / "mirror.sqlite") as two:
        assert everything(one) == everything(two)
        # Two things are a home's own: what was done there, and what it has to send.
        assert deeds(one) == [
            ("exported", f"1,204 executions to {file}"),
            ("exported", f"began to write all to {file}"),
            ("started a run", "run-1: answer"),
        ]
        once = [("imported", f"1,204 executions from {file}"), ("imported", f"began to take in {file}")]
        assert deeds(two) == once * 2
        assert (one.outbox.pending(), two.outbox.pending()) == (0, 0)
    assert file.stat().st_mode & 0o077 == 0


def test_an_export_that_is_ended_is_filed(home: Path) -> None:
    """Whoever has a byte of it is in the audit, though the process was killed before its end."""
    command = [sys.executable, "-m", "failtrace", "export", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"FAILTRACE_HOME": str(home)}) as reading:
        assert reading.stdout is not None
        reading.stdout.read(1)
        reading.kill()

    with Mirror.open(home / "mirror.sqlite") as mirror:
        assert deeds(mirror)[0] == ("exported", "began to write all to -")


def test_an_import_that_is_given_up_is_filed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it stored until then is there, and so is the deed; a file of another kind stores and files nothing."""
    file, other = tmp_path / "all.jsonl", tmp_path / "other"
    failtrace(home, "export", str(file))
    monkeypatch.setenv("FAILTRACE_HOME", str(other))
    monkeypatch.setattr(archive, "MOST_LINES", 1000)

    for source in (file, Path(__file__)):
        given_up = CliRunner().invoke(import_command, [str(source)])
        assert isinstance(given_up.exception, InputError)

    with Mirror.open(other / "mirror.sqlite") as mirror:
        assert mirror.overview().executions == 800
        assert deeds(mirror) == [("imported", f"began to take in {file}")]


def test_a_torn_backup_gives_what_it_holds(home: Path, tmp_path: Path) -> None:
    """Half a file, packed or not, is taken as far as it goes; the exit code and a sentence say that it is not whole."""
    whole, half, packed = tmp_path / "whole.jsonl", tmp_path / "half.jsonl", tmp_path / "half.jsonl.gz"
    failtrace(home, "export", str(whole))
    content = whole.read_bytes()
    half.write_bytes(content[: len(content) // 2])
    packed.write_bytes(gzip.compress(content)[:20_000])

    for number, file in enumerate((half, packed)):
        done = failtrace(tmp_path / f"torn-{number}", "import", str(file), "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, found["whole"], found["bad_lines"]) == (1, False, 1)
        assert 4 <= found["new"] < 1204
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no export of failtrace"),
        (b"\x00\xff" * 5000, "no export of failtrace"),
        (b'{"type":"header","format":"failtrace","version":2}\n', "version 2"),
        (b"[" * 100_000, "no export of failtrace"),
        (b'{"type":"header","format":"failtrace","version":true}\n', "version True"),
        (b"\x1f\x8bnot gzip at all", "no export of failtrace"),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    """Nothing is written, and the sentence says what to name instead."""
    file = tmp_path / "file"
    file.write_bytes(content)

    done = failtrace(tmp_path / "home", "import", str(file))

    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_bad_lines_are_told_and_the_others_taken(home: Path, tmp_path: Path) -> None:
    """A changed record, a line of another kind, one nested too deep and one that is no text are skipped by number."""
    file = tmp_path / "all.jsonl"
    failtrace(home, "export", str(file))
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"answer", b"ANSWER", 1)
    lines[3:3] = [b'{"type":"poem"}\n', b"[" * 200_000 + b"\n", b"\xff\xfe\n", b'{"type":"run"}\n', b"7\n"]
    file.write_bytes(b"".join(lines))

    done = failtrace(tmp_path / "other", "import", str(file), "--json")

    found = json.loads(done.stdout)
    assert (done.returncode, found["bad_lines"], found["executions"], found["whole"]) == (1, 6, 1203, False)
    assert [f"line {number} was skipped" in done.stderr for number in range(3, 9)] == [True] * 6


def test_a_place_that_cannot_be_written_is_said(home: Path, tmp_path: Path) -> None:
    """What stood at the target stays when the export cannot be written."""
    (tmp_path / "a-file").write_text("mine")

    done = failtrace(home, "export", str(tmp_path / "a-file" / "x.jsonl"))

    assert done.returncode == 2
    assert "Cannot write" in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@given(record=records())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_record_survives_the_file(record: TraceRecord) -> None:
    """Whatever a record may hold, its line gives the same bytes back, and the same summary."""
    body = encode_record(record)
    entry = entry_of(record, body, digest(body))

    (found,) = archive.read(iter_file(HEADER + archive.execution_line(Archived(entry, 7))))

    if archive.longest(record) > archive.LONGEST_DURATION:
        assert isinstance(found, Bad)
        return
    assert found == Archived(entry, 7)
    summary = Archived(entry._replace(body=b"", text=""), -7)
    (found,) = archive.read(iter_file(HEADER + archive.execution_line(summary)))
    assert found == summary


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header_are_lines_or_bad_ones(content: bytes) -> None:
    """Nothing that stands in a file raises anything."""
    found = list(archive.read(iter_file(HEADER + content)))

    assert all(isinstance(line, (Bad, End)) for line in found)
    assert len(found) == len(content.split(b"\n")) - content.endswith(b"\n") - (not content)


def iter_file(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)


def test_a_file_without_an_end_is_no_export(tmp_path: Path) -> None:
    """A device that gives zeros for ever."""
    done = failtrace(tmp_path / "home", "import", "/dev/zero")

    assert (done.returncode, "no export of failtrace" in done.stderr) == (2, True)


def test_a_home_that_cannot_be_written_is_exported(home: Path, tmp_path: Path) -> None:
    """All of it; that nobody could file it is said."""
    with read_only(home) as mounted:
        done = failtrace(mounted, "export", "-")

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1204 + 3
    assert "This export is not filed in the audit." in done.stderr

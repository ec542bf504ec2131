"""Lines of an import whose values no page could show: each is a bad line, and the others are taken."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.records import make_record

from failtrace.cli.export import Taken
from failtrace.codec import digest, encode_record
from failtrace.contracts import DeadlineExceeded, FailureType, TraceRecord
from failtrace.exchange import archive
from failtrace.mirror.archive import Archived
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.times import EARLIEST, LATEST
from failtrace.mirror.writes import entry_of

FAR = 2**63 - 1
RUN: dict[str, Any] = {
    "run_id": "run-1",
    "state": "finished",
    "started_at": 1,
    "ended_at": 2,
    "subjects": '["answer"]',
    "planned": 1,
    "not_run": 0,
    "bad_lines": 0,
    "pid": 1,
}
SUMMARY: dict[str, Any] = {
    "trace_id": f"{77:032x}",
    "failure_id": None,
    "run_id": None,
    "subject": "answer",
    "outcome": "returned",
    "failure_type": "",
    "message": "",
    "fingerprint": None,
    "ended_at": 1,
    "duration_ms": 1.0,
    "sha256": "0" * 64,
    "input_key": None,
    "stored_at": 1,
}

TEXTS = ("run_id", "subject", "outcome", "failure_type", "message", "fingerprint")
LONE = "a \ud800"


def line_of(body: bytes, stored_at: int = 1) -> bytes:
    head = f'{{"type":"execution","sha256":"{digest(body)}","stored_at":{stored_at},"record":'
    return head.encode() + body + b"}\n"


def line(kind: str, columns: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({"type": kind, **columns, **changed}).encode() + b"\n"


def sound(number: int) -> bytes:
    return line_of(encode_record(make_record(number=number)))


def late(limit_s: float) -> bytes:
    """A timeout that says it had this limit."""
    record = make_record(FailureType.TIMEOUT, number=78)
    assert record.failure is not None
    evidence = (DeadlineExceeded(limit_s=limit_s, elapsed_s=1.0, stacks=""),)
    return encode_record(
        record.model_copy(update={"failure": record.failure.model_copy(update={"evidence": evidence})})
    )


def before_all_time(record: TraceRecord) -> bytes:
    """A record that began before the year 1, in UTC."""
    found = json.loads(encode_record(record)) | {"started_at": "0001-01-01T00:00:00+23:00"}
    return json.dumps(found, separators=(",", ":")).encode()


HOSTILE = {
    "before the year 1": line_of(before_all_time(make_record(number=79))),
    "endless end": b'{"type":"end","runs":Infinity,"executions":1}\n',
    "huge end": b'{"type":"end","runs":1e400,"executions":1}\n',
    "end without counts": b'{"type":"end"}\n',
    "summary of long ago": line("summary", SUMMARY, ended_at=-(2**63)),
    "summary of far ahead": line("summary", SUMMARY, ended_at=FAR),
    "summary stored far ahead": line("summary", SUMMARY, stored_at=FAR),
    "summary of ages": line("summary", SUMMARY, duration_ms=1.7e308),
    "record stored far ahead": line_of(encode_record(make_record(number=80)), FAR),
    "record with a limit of ages": line_of(late(1e308)),
    "run begun far ahead": line("run", RUN, started_at=FAR),
    "run ended long ago": line("run", RUN, ended_at=-(2**63)),
    "run of no list": line("run", RUN, subjects="not json"),
    "run of a number": line("run", RUN, subjects="5"),
    "run of no names": line("run", RUN, subjects='[1, null, {"a": []}]'),
    "run of a lone surrogate": line("run", RUN, subjects='["\\ud800"]'),
}
UNKEPT = {
    "run named by a lone surrogate": line("run", RUN, run_id=LONE),
    "record of a lone surrogate": line_of(encode_record(make_record(number=81)).replace(b"where is", rb"\ud800")),
    "summary with a lone surrogate for a field": line("summary", SUMMARY, **{LONE: 1}),
    **{f"summary of a lone surrogate as {name}": line("summary", SUMMARY, **{name: LONE}) for name in TEXTS},
    **{f"summary of a long {name}": line("summary", SUMMARY, **{name: "x" * (2**20 + 1)}) for name in TEXTS},
}


def import_(home: Path, file: Path, *lines: bytes) -> "subprocess.CompletedProcess[str]":
    executions = sum([1 for item in lines if b'"type":"execution"' in item])
    file.write_bytes(archive.header() + b"".join(lines) + archive.end_line(archive.End(runs=0, executions=executions)))
    return subprocess.run(
        [sys.executable, "-m", "failtrace", "import", str(file), "--json"],
        capture_output=True,
        text=True,
        timeout=100,
        env={"FAILTRACE_HOME": str(home), "PATH": "/usr/bin:/bin"},
    )


def test_a_value_that_no_page_could_show_is_a_bad_line(tmp_path: Path) -> None:
    """Each is told by its number, the lines around them are taken, and every reader goes on."""
    lines = [sound(1), *HOSTILE.values(), sound(2)]

    done = import_(tmp_path / "home", tmp_path / "file", *lines)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert json.loads(done.stdout)["bad_lines"] == len(HOSTILE)
    for number in range(3, 3 + len(HOSTILE)):
        assert f"line {number} was skipped" in done.stderr
    with Mirror.open(tmp_path / "home" / "mirror.sqlite") as mirror:
        assert mirror.failures().total == 2
        assert mirror.runs().rows == ()


def test_a_text_that_sqlite_cannot_keep_or_that_has_no_end_is_a_bad_line(tmp_path: Path) -> None:
    """Wherever it stands: the batch it is in is taken all the same."""
    lines = [sound(1), *UNKEPT.values(), sound(2)]

    done = import_(tmp_path / "home", tmp_path / "file", *lines)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    found = json.loads(done.stdout)
    assert (found["new"], found["bad_lines"]) == (2, len(UNKEPT))
    for number, name in enumerate(UNKEPT, 3):
        assert f"line {number} was skipped" in done.stderr, name


def test_of_two_executions_with_one_failure_id_one_is_a_bad_line(tmp_path: Path) -> None:
    """The later one is told by its number, in one batch and against what was there before; the others are taken."""
    first = make_record(number=1)
    twin = make_record(number=9).model_copy(update={"failure_id": first.failure_id})
    twin = twin.model_copy(update={"failure": twin.failure.model_copy(update={"failure_id": first.failure_id})})
    lines = [sound(2), sound(1), line_of(encode_record(twin)), sound(3)]

    for expected in (3, 0):
        done = import_(tmp_path / "home", tmp_path / "file", *lines)
        found = json.loads(done.stdout)
        assert (done.returncode, found["new"], found["bad_lines"], found["whole"]) == (1, expected, 1, False)
        assert "line 4 was skipped: The failure_id" in done.stderr


def test_records_wait_by_their_bytes(tmp_path: Path) -> None:
    """Long records are written before two hundred of them wait in memory."""
    with Mirror.open(tmp_path / "mirror.sqlite") as mirror:
        taken = Taken(mirror, outbox=False)
        for number in range(1, 11):
            record = make_record(number=number, output="x" * 4 * 2**20)
            body = encode_record(record)
            taken.take(number, Archived(entry_of(record, body, digest(body)), 1))
            assert number - taken.new < 4
        taken.flush()
        assert (taken.executions, taken.new, mirror.failures().total) == (10, 10, 10)


def test_the_ends_of_time_are_taken(tmp_path: Path) -> None:
    """What a datetime can just hold is no bad line, and can be read back."""
    lines = [
        line("summary", SUMMARY, ended_at=EARLIEST, stored_at=LATEST),
        line("summary", SUMMARY, trace_id="f" * 32, ended_at=LATEST, stored_at=EARLIEST),
        line("run", RUN, started_at=EARLIEST, ended_at=LATEST),
    ]

    done = import_(tmp_path / "home", tmp_path / "file", *lines)

    assert json.loads(done.stdout)["bad_lines"] == 0
    with Mirror.open(tmp_path / "home" / "mirror.sqlite") as mirror:
        assert [row.ended_at.year for row in mirror.executions().rows] == [9999, 1]
        assert mirror.overview().executions == 2

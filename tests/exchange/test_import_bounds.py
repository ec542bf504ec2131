"""What somebody else made of a backup: bombs, endless lines, deep values, names that lead elsewhere."""

import gzip
import io
import json
import os
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import NOON, make_record

from failtrace.capture.capture import MAX_STEPS
from failtrace.capture.value_limits import MAX_BYTES, MAX_TEXT
from failtrace.codec import digest, encode_record
from failtrace.contracts import EndedBy, StepKind, StepStatus, TraceStep
from failtrace.errors import InputError
from failtrace.exchange import archive
from failtrace.exchange.archive import Bad
from failtrace.exchange.rows import csv_table, harmless
from failtrace.mirror.archive import Archived
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow
from failtrace.mirror.writes import entry_of
from failtrace.ui.run.files import RunFiles

OUTSIDE = ("../outside", "../../../../../../tmp/outside", "/tmp/outside", "..\\outside", "a/../../outside", "\x00", "")
MEMORY = 512 * 2**20
UNSEEN = '\\s\\x00\\u200b\\u202e\\ufeff"'


def import_(home: Path, file: Path) -> "subprocess.CompletedProcess[str]":
    """`failtrace import` with no more memory than to hold the longest line, and far less than to read it."""
    return subprocess.run(
        [sys.executable, "-m", "failtrace", "import", str(file)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=home.parent,
        env={**os.environ, "FAILTRACE_HOME": str(home)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)),
    )


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run_line(run_id: str) -> bytes:
    columns = {"run_id": run_id, "state": "finished", "started_at": 1, "ended_at": 2, "subjects": "[]", "planned": 1}
    return archive.run_line({**columns, "not_run": 0, "bad_lines": 0, "pid": 1})


def execution_line(run_id: str, subject: str) -> bytes:
    record = make_record(number=1, run_id=run_id, subject=subject)
    body = encode_record(record)
    return archive.execution_line(Archived(entry_of(record, body, digest(body)), 1))


def test_a_bomb_is_unpacked_line_by_line_and_given_up_in_bounded_memory(tmp_path: Path) -> None:
    """A megabyte of gzip that is a gigabyte in one line: a bad line like any other, the next one is taken."""
    home, file = tmp_path / "home", tmp_path / "bomb.gz"
    with gzip.open(file, "wb", compresslevel=9) as packed:
        packed.write(archive.header())
        for _ in range(64):
            packed.write(b"[" * 2**24)
        packed.write(b"\n" + run_line("run-1"))
    assert file.stat().st_size < 2 * 2**20

    done = import_(home, file)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "line 2 was skipped: it is longer than" in done.stderr
    with Mirror.open(home / "mirror.sqlite") as mirror:
        assert mirror.run("run-1")


def test_lines_of_small_values_are_no_bomb(tmp_path: Path) -> None:
    """A list takes twenty times its three bytes in memory: what is no record is short, and a record has few of them."""
    home, file = tmp_path / "home", tmp_path / "lists.gz"
    lists = b"[" + b"[]," * (20 * 2**20) + b"[]]"
    body = encode_record(make_record(number=1)).replace(b'"where is my order?"', lists)
    head = json.dumps({"type": "execution", "sha256": digest(body), "stored_at": 1}, separators=(",", ":")).encode()
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(archive.header() + lists + b"\n" + b'{"type":"run","subjects":' + lists + b"}\n")
        packed.write(head[:-1] + b',"record":' + body + b"}\n" + run_line("run-1"))

    done = import_(home, file)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for number, why in ((2, "holds no record"), (3, "holds no record"), (4, "8,000,000 commas, colons and brackets")):
        assert f"line {number} was skipped" in done.stderr
        assert why in done.stderr.splitlines()[number - 2]
    with Mirror.open(home / "mirror.sqlite") as mirror:
        assert mirror.run("run-1")


def execution_of(body: bytes) -> bytes:
    head = json.dumps({"type": "execution", "sha256": digest(body), "stored_at": 1}, separators=(",", ":")).encode()
    return head[:-1] + b',"record":' + body + b"}\n"


def test_what_is_no_record_takes_no_more_memory_than_one(tmp_path: Path) -> None:
    """Each of what is wrong with one would be told with a copy of all of it: too many pairs, fields, wrong items."""
    home, file = tmp_path / "home", tmp_path / "bad.gz"
    pairs = b",".join([b'"%x":"%x"' % (number, number) for number in range(400_000)])
    steps = encode_record(make_record(number=1)).replace(b'"steps":[', b'"steps":[' + b"1," * 3_000_000)
    bad = {
        b'{"input":{' + b'"":"",' * 4_100_000 + b'"":""}}': "commas, colons and brackets",
        b'{"input":{' + pairs + b"}}": "at failure_id (Field required)",
        b'{"failure":{' + pairs + b"}}": "in 400,0",
        b"{" + pairs + b"}": "in 400,0",
        steps: "at steps.0",
    }
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(archive.header() + b"".join(map(execution_of, bad)) + run_line("run-1"))

    done = import_(home, file)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for line, (number, why) in zip(done.stderr.splitlines(), enumerate(bad.values(), 2), strict=True):
        assert f"line {number} was skipped" in line
        assert why in line
    with Mirror.open(home / "mirror.sqlite") as mirror:
        assert mirror.run("run-1")


def marks_of(value: object) -> int:
    """As many commas, colons and opening brackets as its JSON has outside of texts."""
    if isinstance(value, list):
        return 1 + max(0, len(value) - 1) + sum(map(marks_of, value))
    if isinstance(value, dict):
        return 1 + max(0, 2 * len(value) - 1) + sum(map(marks_of, value.values()))
    return 0


TEXTS = st.text('",:[{\\a\n', max_size=20)


@given(
    st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)),
    st.integers(1, 9),
)
def test_marks_in_texts_are_no_marks(value: object, stretch: int) -> None:
    """A text of commas is one value, wherever the stretches that are looked at end."""
    with pytest.MonkeyPatch.context() as less:
        less.setattr(archive, "_STRETCH", stretch)

        assert archive._marks_of(json.dumps(value, separators=(",", ":")).encode()) == marks_of(value)


def test_the_greatest_record_is_within_bounds() -> None:
    """As many steps, and as long an input and output, as an execution can have."""
    text = '"id":[1,{}],"a"\n' * (MAX_TEXT // 16)
    value = [text] * (MAX_BYTES // MAX_TEXT)
    record = make_record(number=1, output=value)
    step = TraceStep(
        step_id="1" * 16,
        parent_id="2" * 16,
        sequence=MAX_STEPS,
        name="search the orders",
        kind=StepKind.TOOL,
        started_at=NOON,
        duration_ms=0.123456,
        status=StepStatus.OK,
        ended_by=EndedBy.ITSELF,
        attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "size": 12_345},
    )
    body = encode_record(record.model_copy(update={"input": value, "steps": (step,) * MAX_STEPS}))
    (found,) = archive.read(io.BytesIO(archive.header() + execution_of(body)))

    assert isinstance(found, Archived)
    assert found.entry.body == body
    assert len(body) < archive.LONGEST_LINE * 2 / 3


def test_a_file_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond MOST_BYTES or MOST_LINES one sentence ends the reading, whether the lines end or not."""
    for content in (b"7\n" * 5000, b"7" * 10_000):
        with monkeypatch.context() as less:
            less.setattr(archive, "MOST_BYTES", 4096)
            less.setattr(archive, "LONGEST_LINE", 512)
            with pytest.raises(InputError, match="more than 4,096 bytes"):
                list(archive.read(io.BytesIO(archive.header() + content)))
    monkeypatch.setattr(archive, "MOST_LINES", 10)
    with pytest.raises(InputError, match="more than 10 lines"):
        list(archive.read(io.BytesIO(archive.header() + b"7\n" * 20)))


@pytest.mark.parametrize("depth", [900, 5_000, 1_000_000])
def test_depth_is_a_bad_line(depth: int) -> None:
    """In a line, and in a record whose sha256 is right."""
    deep = b"[" * depth + b"]" * depth
    body = encode_record(make_record(number=1)).replace(b'"where is my order?"', deep)
    head = json.dumps({"type": "execution", "sha256": digest(body), "stored_at": 1}).replace(" ", "").encode()
    lines = [deep, b'{"type":"run","subjects":' + deep + b"}", head[:-1] + b',"record":' + body + b"}"]

    found = list(archive.read(io.BytesIO(archive.header() + b"\n".join(lines))))

    assert [type(line) for line in found[:2]] == [Bad, Bad]
    assert isinstance(found[2], (Bad, Archived))
    assert isinstance(found[2], Bad) or depth < 1000


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    """An import writes the mirror alone, whatever its runs are called; no page reads a file by such a name."""
    home, file = tmp_path / "home", tmp_path / "names.jsonl"
    (tmp_path / "outside.log").write_text("failtrace: a secret of somebody else")
    (tmp_path / "outside.json").write_text('{"subjects": ["answer"], "has_inputs": false}')
    lines = [run_line(name) for name in OUTSIDE] + [execution_line(OUTSIDE[0], OUTSIDE[1])]
    file.write_bytes(archive.header() + b"".join(lines))
    before = files_below(tmp_path)

    done = import_(home, file)

    assert done.returncode in (0, 1)
    written = files_below(tmp_path) - before
    assert {name.split("/")[0] for name in written} == {"home"}
    assert {name.removeprefix("home/").removeprefix("mirror.sqlite") for name in written} <= {"", "-wal", "-shm"}
    for name in (*OUTSIDE, "../../outside", str(tmp_path / "outside")):
        assert RunFiles(home, name).sentences() == ()
        assert RunFiles(home, name).request() is None


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\t ", "\ufeff", "\u200b", "\u00a0", "\u202e", "\x00"])
def test_no_cell_of_a_spreadsheet_is_a_formula(sign: str, before: str) -> None:
    """Every sign that begins one, behind all that cannot be seen; in every text column of a failure."""
    text = f"{before}{sign}cmd|' /C calc'!A0"
    row = ExecutionRow(
        trace_id=text,
        failure_id=text,
        run_id=text,
        subject=text,
        outcome="raised",
        failure_type=None,
        message=text,
        fingerprint=text,
        ended_at=datetime(2026, 3, 1, tzinfo=UTC),
        duration_ms=-1.5,
        input_key=None,
    )

    table = csv_table([row]).decode("utf-8-sig")

    # A tab may begin a cell of its own.
    told = f"'{before}'{sign}" if before == "\t " and sign not in "\t\r\n" else f"'{before}{sign}"
    assert harmless(text) == f"{told}cmd|' /C calc'!A0"
    assert table.count(harmless(text)) == 6
    assert table.count(f"{sign}cmd") == 6
    assert "-1.5" in table
    assert f"{NOON.year}" in table


@pytest.mark.parametrize("text", ["a=1", "where - there", "", "O'Brien", "1.5", "user@example.test"])
def test_a_cell_that_is_no_formula_stays(text: str) -> None:
    """Only the beginning makes a formula."""
    assert harmless(text) == text


@pytest.mark.parametrize("separator", [";", "\t", "\r", "\n", "\r\n"])
@pytest.mark.parametrize("before", ["", " ", '"', '""', ' "\ufeff', "\u200b", "\x00"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_no_cell_begins_a_formula_inside(separator: str, before: str, sign: str) -> None:
    """Where a spreadsheet splits at `;`, tabs or the ends of lines: OWASP's other separators."""
    assert harmless(f"x{separator}{before}{sign}cmd") == f"x{separator}{before}'{sign}cmd"


@given(st.text(";\t\r\n \"',=+-@＝＋－＠\u200b\u202e\ufeff\u00a0\x00x"))
def test_no_part_of_a_cell_is_a_formula(text: str) -> None:
    """Whatever stands between; and nothing but apostrophes is added."""
    told = harmless(text)

    assert [part for part in re.split("[;\t\r\n]", told) if re.match(f"[{UNSEEN}]*[=+@＝＋－＠-]", part)] == []
    assert told.replace("'", "") == text.replace("'", "")


def test_a_cell_of_separators_takes_no_time() -> None:
    """Linear: the square of these would be hours."""
    text = '\t;\n"' * 250_000

    assert harmless(text) == f"'{text}"

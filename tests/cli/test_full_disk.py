"""A disk that is really full, and one that may not be written: nothing false is acknowledged, nothing lost."""

import json
import os
import random
import shutil
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.records import item, make_record

from failtrace.capture.watch_status import WatchStatus, read_statuses, write_status
from failtrace.errors import StoreError
from failtrace.mirror.mirror import Mirror

TESTS = Path(__file__).parents[1]
MANY = 120


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)):
        pytest.skip("a disk of its own takes Linux and the right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*options: str) -> int:
    try:
        return subprocess.run(["mount", *options], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 127


def failtrace(disk: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"FAILTRACE_HOME": str(disk / "home"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "failtrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, cwd=TESTS.parent)


def lines(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def filled(disk: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """A run that met the end of the disk: every failure has 20 KB that cannot be packed."""
    chance = random.Random(1)
    inputs = tmp_path / "inputs.jsonl"
    with inputs.open("w") as file:
        for number in range(MANY):
            file.write(json.dumps(f"{number} {''.join(chance.choices(string.ascii_letters, k=20_000))}") + "\n")
    return failtrace(disk, "run", "support.zoo:complain", "--inputs", str(inputs), "--json")


def test_a_full_disk_is_one_sentence_and_loses_nothing_it_acknowledged(
    filled: "subprocess.CompletedProcess[str]", disk: Path
) -> None:
    """What was said to be stored can be listed while the disk is full; the rest comes when there is room again."""
    acknowledged = {line["failure_id"] for line in lines(filled) if line["type"] == "execution" and line["stored"]}
    assert filled.returncode == 2
    assert "is full; free some space and repeat" in filled.stderr
    assert 0 < len(acknowledged) < MANY

    # A checkpoint may have made room for one more that could not be acknowledged any more.
    while_full = {line["failure_id"] for line in lines(failtrace(disk, "list", "--json", "--limit", "1000"))}
    assert while_full >= acknowledged
    shown = failtrace(disk, "show", sorted(acknowledged)[0])
    assert (shown.returncode, "complain" in shown.stdout) == (0, True)
    refused = failtrace(disk, "recover")
    assert refused.returncode == 0 or "is full" in refused.stderr

    assert mount("-o", "remount,size=64m", str(disk)) == 0
    assert failtrace(disk, "recover").returncode == 0
    found = [line["failure_id"] for line in lines(failtrace(disk, "list", "--json", "--limit", "1000"))]
    assert set(found) >= while_full
    assert len(found) == len(set(found))
    assert list((disk / "home" / "journal").glob("*.jsonl")) == []


def fill(disk: Path, leave: int = 0) -> Path:
    """Take all of the disk's room but so many bytes; gives the file that has it."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - leave))
    return filler


@pytest.mark.parametrize("leave", [0, 16 << 10])
def test_a_closed_mirror_is_read_on_a_disk_without_room(disk: Path, tmp_path: Path, leave: int) -> None:
    """SQLite has no room for the files that it reads by; a backup is made all the same, and nothing else is taken."""
    assert failtrace(disk, "run", "support.zoo:complain", "--input", '"x"').returncode == 0
    filler = fill(disk, leave)

    listed, exported = failtrace(disk, "list", "--json"), failtrace(disk, "export", str(tmp_path / "backup.jsonl"))
    refused = failtrace(disk, "run", "support.zoo:complain", "--input", '"x"')

    assert (listed.returncode, len(lines(listed))) == (0, 1)
    assert (exported.returncode, "not filed in the audit" in exported.stderr) == (0, True)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "room on its disk" in refused.stderr

    filler.unlink()
    assert failtrace(disk, "import", str(tmp_path / "backup.jsonl")).returncode == 0
    assert len(lines(failtrace(disk, "list", "--json"))) == 1


def test_a_mirror_that_was_opened_on_a_full_disk_is_written_when_there_is_room(disk: Path) -> None:
    """A dashboard that was started then need not be started again."""
    path = disk / "home" / "mirror.sqlite"
    with Mirror.open(path) as mirror:
        mirror.write([item(make_record(number=1))])
    filler = fill(disk)

    with Mirror.open(path) as mirror:
        assert mirror.failures().total == 1
        with pytest.raises(StoreError, match="cannot be written; make the file and its folder writable, and room"):
            mirror.write([item(make_record(number=2))])
        assert mirror.failures().total == 1
        filler.unlink()
        assert mirror.write([item(make_record(number=2))]) == 1
        with Mirror.open(path) as another:
            assert another.write([item(make_record(number=3))]) == 1
        assert mirror.failures().total == 3


def test_a_log_that_holds_records_is_not_passed_over_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """The file alone would answer without what was written last: one sentence instead, and all is there afterwards."""
    with Mirror.open(tmp_path / "mirror.sqlite") as mirror:
        mirror.write([item(make_record(number=1))])
        (disk / "home").mkdir()
        for name in ("mirror.sqlite", "mirror.sqlite-wal"):
            shutil.copyfile(tmp_path / name, disk / "home" / name)
    filler = fill(disk)

    done = failtrace(disk, "list", "--json")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    filler.unlink()
    assert len(lines(failtrace(disk, "list", "--json"))) == 1


def test_a_home_that_may_not_be_written_is_one_sentence(disk: Path) -> None:
    """Whatever would write, also by root, whom no permission stops; what reads goes on."""
    assert failtrace(disk, "run", "support.zoo:double", "--input", "1").returncode == 0
    assert mount("-o", "remount,ro", str(disk)) == 0

    for arguments in (("recover", "--mirror"), ("list",)):
        assert failtrace(disk, *arguments).returncode == 0
    for arguments in (("run", "support.zoo:double", "--input", "1"), ("doctor",)):
        done = failtrace(disk, *arguments)
        assert "Traceback" not in done.stderr
        assert str(disk) in done.stderr + done.stdout
        assert done.returncode != 0


@pytest.mark.parametrize("size", ["150k", "200k", "250k", "300k", "350k", "400k"])
def test_a_first_mirror_that_does_not_fit_is_no_damaged_one(disk: Path, size: str) -> None:
    """With more room the next start is a first one: nothing was ever in it that could have been lost."""
    assert mount("-o", f"remount,size={size}", str(disk)) == 0
    failtrace(disk, "list")
    assert mount("-o", "remount,size=20m", str(disk)) == 0

    done = failtrace(disk, "list")

    assert (done.returncode, "damaged" in done.stderr) == (0, False)
    assert list((disk / "home").glob("*.corrupt-*")) == []


INLINE = """
from failtrace import run_with_failure_detection
from failtrace.errors import ExecutionError

def fill():
    with open(sys.argv[1], "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

def subject(value):
    ran.append(value)
    fill()
    return value

ran = []
for _ in range(2):
    try:
        run_with_failure_detection(subject, "x" * 20_000, timeout=5.0, isolation="inline")
    except ExecutionError as error:
        print(len(ran), error)
    fill()
"""


def test_a_journal_that_takes_no_line_is_told_before_the_subject_runs(disk: Path) -> None:
    """And where it takes no more while it runs; no half segment looks like a lost execution."""
    failtrace(disk, "list")
    environment = {"FAILTRACE_HOME": str(disk / "home"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, "-c", "import sys\n" + INLINE, str(disk / "filler")]

    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, cwd=TESTS.parent)

    told = done.stdout.splitlines()
    assert [line[0] for line in told] == ["1", "1"], done.stderr
    assert all("takes no more (is the disk full?); make room and run it again." in line for line in told)
    assert list((disk / "home" / "journal").glob("*.jsonl")) == []


def test_how_the_watching_stands_is_told_from_a_full_disk(disk: Path) -> None:
    """The last word on it is written over, where a new file has no room."""
    status = WatchStatus(
        pid=7, program="shop", at=time.time(), waiting=0, stored=1, left=0, dropped=1, in_memory_alone=0, faults=0,
        last_fault=None,
    )  # fmt: skip
    write_status(disk, status)
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(bytes(2_000_000))

    write_status(disk, replace(status, dropped=2000))

    assert [told.dropped for told in read_statuses(disk)] == [2000]
    assert list(disk.glob("*.half")) == []

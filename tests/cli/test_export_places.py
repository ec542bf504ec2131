"""Where an export may go: no device, pipe or foreign file is replaced, and nobody can foresee the file under way."""

import gzip
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.records import item, make_record

from failtrace.mirror.mirror import Mirror


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Mirror.open(tmp_path / "home" / "mirror.sqlite") as mirror:
        mirror.write([item(make_record(number=1))])
    return tmp_path / "home"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def export(home: Path, target: str, shell: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "failtrace", "export", target]
    if shell:
        command = ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *command]
    environment = {"FAILTRACE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)


def is_export(content: bytes) -> bool:
    lines = [json.loads(line) for line in content.splitlines()]
    return [line["type"] for line in lines] == ["header", "execution", "end"]


@pytest.mark.parametrize("name", ["fifo", "fifo.gz"])
def test_a_pipe_is_written_to(home: Path, place: Path, name: str) -> None:
    """It is there afterwards, and its reader got all."""
    fifo = place / name
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE) as reader:
        done = export(home, str(fifo))
        content, _ = reader.communicate(timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert is_export(gzip.decompress(content) if name.endswith(".gz") else content)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_device_stays_one(home: Path, place: Path) -> None:
    """Also for root, who could replace it; by its own name and by a link to it."""
    null = place / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        null = Path(os.devnull)
    (place / "link").symlink_to(null)

    for target in (null, place / "link"):
        assert export(home, str(target)).returncode == 0
    assert stat.S_ISCHR(null.stat().st_mode)
    assert (place / "link").is_symlink()


def test_a_link_is_refused(home: Path, place: Path) -> None:
    """Neither it nor what it leads to is touched, whether that is there or not."""
    (place / "precious").write_text("mine")
    (place / "link").symlink_to("precious")
    (place / "dangling").symlink_to("nowhere")

    for name in ("link", "dangling"):
        done = export(home, str(place / name))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "it is a link; name the file it leads to, or another" in done.stderr
        assert (place / name).is_symlink()
    assert (place / "precious").read_text() == "mine"
    assert len(list(place.iterdir())) == 3


def test_a_planted_part_file_is_neither_followed_nor_kept(home: Path, place: Path) -> None:
    """Who may write to the folder cannot lead the records elsewhere, nor keep a right to read them."""
    (place / "precious").write_text("mine")
    (place / "one.jsonl.part").symlink_to("precious")
    (place / "two.jsonl.part").touch(mode=0o666)
    (place / "two.jsonl").touch(mode=0o666)

    for name in ("one.jsonl", "two.jsonl"):
        assert export(home, str(place / name)).returncode == 0
        assert is_export((place / name).read_bytes())
        assert stat.S_IMODE((place / name).stat().st_mode) == 0o600
    assert (place / "precious").read_text() == "mine"
    assert not list(place.glob(".failtrace-*"))


@pytest.mark.parametrize(
    ("target", "shell", "words"),
    [
        ("-", ">&-", "Cannot write to stdout, for it is closed"),
        ("", "", "that names no file"),
        ("/dev", "", "is a directory"),
    ],
    ids=["closed stdout", "no name", "folder"],
)
def test_no_place_is_one_sentence(home: Path, target: str, shell: str, words: str) -> None:
    """Exit 2, and no traceback."""
    done = export(home, target, shell)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_stdout_stops_no_export_to_a_file(home: Path, place: Path) -> None:
    """There is nowhere to tell it, but the file is whole."""
    done = export(home, str(place / "all.jsonl"), ">&-")

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert is_export((place / "all.jsonl").read_bytes())

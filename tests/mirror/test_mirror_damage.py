"""Damage that SQLite itself does not see, or cannot tell of: found, rescued, and said as it is."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.records import NOON, failure_id_of, item, make_record

from failtrace.errors import DamagedMirror, StoreError
from failtrace.mirror.engine import Database, is_open_here, looking_at_files
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.rescue import open_or_rescue, rescue, set_aside
from failtrace.mirror.wal import _readable_frames

FAILURES = 40
PAGE = 4096


@pytest.fixture
def filled(path: Path) -> Path:
    """Failures and runs, none of them in a WAL."""
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        for number in range(1, 4):
            mirror.start_run(f"run-{number}", subjects=["answer"], planned=9, pid=1, at=NOON)
        mirror.write([item(make_record(number=number)) for number in range(1, FAILURES + 1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def changed(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])


def overwrite(path: Path, page: int, content: bytes, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + at)
        file.write(content)


def whole(mirror: Mirror) -> int:
    return sum([1 for number in range(1, FAILURES + 1) if mirror.record(failure_id_of(number)) is not None])


UNSEEN = {
    "text": "UPDATE execution SET message = CAST(X'61ff62' AS TEXT) WHERE id = 7",
    "type": "UPDATE execution SET failure_type = 'exceptiop' WHERE id = 7",
    "run": "UPDATE run SET state = CAST(X'ff' AS TEXT) WHERE id = 2",
    "deed": "UPDATE audit SET who = CAST(X'ff' AS TEXT) WHERE id = 2",
    "record": "UPDATE body SET body = X'7b7d' WHERE execution_id = 7",
    "orphan": "DELETE FROM execution WHERE id = 7",
    "tally": "UPDATE tally SET failure_type = CAST(X'ff' AS TEXT)",
    "table": "DROP TABLE run",
    "state": "INSERT INTO state VALUES (2, 0, 0, 0)",
    "no state": "DELETE FROM state",
}


@pytest.mark.parametrize("statement", UNSEEN.values(), ids=UNSEEN)
def test_what_sqlite_does_not_see_is_found_and_rescued(filled: Path, statement: str) -> None:
    """A text, row or record that is not as it was written is damage; after the rescue all can be read again."""
    changed(filled, statement)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert mirror.is_sound()
        assert mirror.failures(limit=100).total == len(mirror.failures(limit=100).rows) == FAILURES
        assert whole(mirror) == FAILURES - ("body" in statement)
        assert len(mirror.runs().rows) == {"run": 2, "table": 0}.get(
            next(name for name, said in UNSEEN.items() if said == statement), 3
        )


@pytest.mark.parametrize("kind", ["text", "type", "table", "state", "no state"])
def test_what_cannot_be_read_is_said_to_be_damage(filled: Path, kind: str) -> None:
    """A reader that meets it raises the sentence that says what to do, not one about characters."""
    changed(filled, UNSEEN[kind])

    with Mirror.open(filled) as mirror, pytest.raises(DamagedMirror, match="failtrace recover --mirror"):
        (mirror.failures(limit=100), mirror.execution(failure_id_of(7)), mirror.runs(), mirror.data_version())


def test_an_index_that_is_not_of_its_table_is_damage(filled: Path) -> None:
    """A page of one index in place of another's can be read, and no list can be made of it."""
    page = root_page(filled, "execution_by_run")
    overwrite(filled, root_page(filled, "execution_by_type"), filled.read_bytes()[(page - 1) * PAGE : page * PAGE])

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert len(mirror.failures(limit=100).rows) == FAILURES


def test_a_damaged_page_of_counts_breaks_no_list_of_runs(filled: Path) -> None:
    """A page of `tally` that says it has one row more answers with NULL where a run was asked for: no traceback."""
    overwrite(filled, root_page(filled, "tally"), b"\x02", at=4)

    with Mirror.open(filled) as mirror:
        assert len(mirror.runs().rows) == 3
        assert not mirror.is_sound()


@pytest.mark.parametrize("content", [b"\xff" * PAGE, bytes(PAGE), os.urandom(PAGE)], ids=["ff", "00", "random"])
def test_a_damaged_page_of_runs_does_not_end_the_rescue(filled: Path, content: bytes) -> None:
    """The records come back whole, whatever stands where the runs were."""
    overwrite(filled, root_page(filled, "run"), content)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert whole(mirror) == FAILURES


def test_a_run_that_is_none_is_counted(filled: Path) -> None:
    """NULL in a column that a run needs: that one is skipped, the others are there, and the sentence tells."""
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'run'")
    changed(filled, "UPDATE run SET state = NULL WHERE id = 2")

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert (len(mirror.runs().rows), found.unreadable) == (2, 1)
        assert "up to 1 rows could not be read" in found.told


def in_wal(path: Path, checkpoint: bool) -> tuple[bytes, bytes]:
    """The file and the WAL of a mirror that holds acknowledged records."""
    with Mirror.open(path) as mirror:
        for number in range(1, FAILURES + 1):
            mirror.write([item(make_record(number=number))])
            if checkpoint and number == FAILURES // 2:
                with closing(sqlite3.connect(path)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()


OTHERS = {60: "upgrade failtrace", 68: "of another program"}
"""Fields of the header by which a file may be somebody else's: it is refused, and stays as it is."""


@pytest.mark.parametrize("field", range(0, 100, 4))
def test_any_field_of_the_header_may_be_damaged(filled: Path, field: int) -> None:
    """Whatever SQLite makes of it, nothing is lost."""
    content = bytearray(filled.read_bytes())
    content[field : field + 4] = bytes(byte ^ 0x5A for byte in content[field : field + 4])
    filled.write_bytes(content)

    if field in OTHERS:
        with pytest.raises(StoreError, match=OTHERS[field]):
            open_or_rescue(filled, 1000, outbox=False)
        assert filled.read_bytes() == content
        return
    mirror, _ = open_or_rescue(filled, 1000, outbox=False)
    with mirror:
        assert whole(mirror) == FAILURES


@pytest.mark.parametrize("present", [True, False], ids=["empty", "missing"])
@pytest.mark.parametrize("checkpoint", [False, True], ids=["all in the WAL", "half in the WAL"])
def test_a_lost_file_beside_its_wal_gives_what_the_wal_holds(
    path: Path, tmp_path: Path, checkpoint: bool, present: bool
) -> None:
    """SQLite would remove the WAL: instead both are kept, what is in it is read, and the sentence says the rest."""
    _, wal = in_wal(tmp_path / "other.sqlite", checkpoint)
    path.parent.mkdir()
    path.with_name(f"{path.name}-wal").write_bytes(wal)
    if present:
        path.touch()
    with pytest.raises(DamagedMirror):
        Mirror.open(path)

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert (found.aside.read_bytes(), found.aside.with_name(f"{found.aside.name}-wal").read_bytes()) == (b"", wal)
        if checkpoint:
            assert 0 < whole(mirror) < FAILURES
            assert "could not be read" in found.told
        else:
            assert whole(mirror) == FAILURES


def test_an_empty_file_is_told(path: Path) -> None:
    """Zero bytes where a mirror was are no fresh start."""
    path.parent.mkdir()
    path.touch()

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    mirror.close()
    assert found is not None
    assert "it was empty (0 bytes), and what it held is lost" in found.told
    assert [told for _, told in set_aside(path)] == [found.told]


@pytest.mark.parametrize("moment", ["prepare", "pin"])
def test_a_first_start_that_is_killed_leaves_no_empty_file(path: Path, moment: str) -> None:
    """Killed while the file is being made, before or behind its tables: the next start is a first one, in silence."""
    code = (
        "import os, sys; from pathlib import Path; from failtrace.mirror.engine import Database\n"
        "from failtrace.mirror.rescue import open_or_rescue\n"
        "done = getattr(Database, sys.argv[2])\n"
        "setattr(Database, sys.argv[2], lambda self: (done(self), os._exit(9)))\n"
        "open_or_rescue(Path(sys.argv[1]), 1000, outbox=False)"
    )
    assert hasattr(Database, moment)

    killed = subprocess.run([sys.executable, "-c", code, str(path), moment], timeout=60)
    assert (killed.returncode, path.exists()) == (9, False)
    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert found is None
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("links", "moment"),
    [
        (links, moment)
        for links in (True, False)
        for moment in ("os.link" if links else "shutil.copy2", "pathlib.Path.rename", "pathlib.Path.replace")
    ],
)
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("opens", [True, False], ids=["opens", "rescues"])
def test_a_rescuer_that_is_killed_loses_nothing(
    path: Path, tmp_path: Path, moment: str, done: bool, opens: bool, links: bool
) -> None:
    """Killed around each step by which the files change places: the next start finds all that the first one did."""
    _, wal = in_wal(tmp_path / "other.sqlite", checkpoint=False)
    path.parent.mkdir()
    path.touch()
    path.with_name(f"{path.name}-wal").write_bytes(wal)
    code = (
        "import os, pathlib, shutil, sys; from failtrace.mirror.rescue import open_or_rescue\n"
        "step = eval(sys.argv[2])\n"
        # As a file system of FAT answers, for which a device would have to be made and mounted.
        "def no_links(*its): raise OSError('no links')\n"
        "if sys.argv[4] == 'False': os.link = no_links\n"
        "def killed(*its): sys.argv[3] == 'True' and step(*its); os._exit(9)\n"
        "setattr(eval(sys.argv[2].rpartition('.')[0]), sys.argv[2].rpartition('.')[2], killed)\n"
        "open_or_rescue(pathlib.Path(sys.argv[1]), 1000, outbox=False)"
    )

    killed = subprocess.run([sys.executable, "-c", code, str(path), moment, str(done), str(links)], timeout=60)
    mirror, found = open_or_rescue(path, 1000, outbox=False) if opens else rescue(path, 1000, outbox=False)

    assert killed.returncode == 9
    with mirror:
        assert whole(mirror) == FAILURES
    # Only where the fresh file had come to its place was there nothing left to do.
    assert (found is None) == (done and moment == "pathlib.Path.replace")
    ((aside, told),) = set_aside(path)
    assert (aside.read_bytes(), aside.with_name(f"{aside.name}-wal").read_bytes()) == (b"", wal)
    assert f"{FAILURES} executions were taken over" in told


KILLED_WRITER = """
import os, sys
from pathlib import Path
from support.records import item, make_record
from failtrace.mirror.mirror import Mirror
mirror = Mirror.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    mirror.write([item(make_record(number=number))])
    mirror.note("exported", f"order {number}", "ada@example.com")
os._exit(9)
"""


def write_and_be_killed(path: Path, first: int, last: int) -> Path:
    """The WAL of a mirror whose process was killed, with these records and a deed for each; beside it is its index."""
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-c", KILLED_WRITER, str(path), str(first), str(last)]
    assert subprocess.run(command, env=environment, timeout=60).returncode == 9
    assert path.with_name(f"{path.name}-shm").exists()
    return path.with_name(f"{path.name}-wal")


@pytest.fixture
def left_by_the_dead(path: Path) -> Path:
    """All that the mirror ever held is in the WAL."""
    return write_and_be_killed(path, 1, FAILURES)


def test_the_wal_of_a_killed_process_is_no_damage(path: Path, left_by_the_dead: Path) -> None:
    """With a torn transaction behind its last commit too, as a kill leaves it."""
    with left_by_the_dead.open("ab") as file:
        file.write(os.urandom(3000))

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert (found, whole(mirror)) == (None, FAILURES)


@pytest.mark.parametrize("size", [0, 31, 32, 1000, None, "half"])
def test_a_wal_that_was_cut_is_set_aside_and_told(path: Path, left_by_the_dead: Path, size: int | str | None) -> None:
    """SQLite would read up to the cut, say nothing, and remove what is left of it."""
    before = left_by_the_dead.stat().st_size
    if size is None:
        left_by_the_dead.unlink()
    else:
        os.truncate(left_by_the_dead, before // 2 if isinstance(size, str) else size)

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert whole(mirror) == found.records < FAILURES
        assert (found.records > 0) == (size == "half")
    ((aside, told),) = set_aside(path)
    assert aside.with_name(f"{aside.name}-wal").exists() == (size is not None)
    assert "may be lost" in told or "records may still be in it" in told


@pytest.mark.parametrize("frame", [None, 0, 1, 10, 30])
def test_a_wal_that_was_damaged_gives_what_stands_behind_the_damage(
    path: Path, left_by_the_dead: Path, frame: int | None
) -> None:
    """Its header, or some frames; where later ones have the same pages, nothing is lost at all."""
    with left_by_the_dead.open("r+b") as file:
        file.seek(0 if frame is None else 32 + frame * (PAGE + 24))
        file.write(os.urandom(32 if frame is None else 3 * PAGE))

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert whole(mirror) >= FAILURES - 2
        assert mirror.audit()[1] >= FAILURES - 2
        assert mirror.is_sound()
    assert len(set_aside(path)) == 1


@pytest.mark.parametrize("size", [0, 31, 32, 1000, None, "header"])
def test_a_log_that_was_emptied_is_told_of_a_mirror_of_many_pages(filled: Path, size: int | str | None) -> None:
    """What had been brought into the file is there, and the sentence says that what was written last may be lost."""
    log = write_and_be_killed(filled, FAILURES + 1, 2 * FAILURES)
    if size is None:
        log.unlink()
    elif isinstance(size, str):
        with log.open("r+b") as file:
            file.write(bytes(32))
    else:
        os.truncate(log, size)

    mirror, found = open_or_rescue(filled, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert "its write-ahead log is damaged or cut short" in found.told
        assert whole(mirror) == FAILURES
        assert mirror.failures().total == found.records == (2 * FAILURES if size == "header" else FAILURES)


def test_a_log_is_looked_at_where_no_disk_has_room(path: Path, left_by_the_dead: Path, tmp_path: Path) -> None:
    """No file is made: neither in the folder of temporary files, nor beside the mirror."""
    code = (
        "import resource, sys; from pathlib import Path; from failtrace.mirror.wal import is_cut_short\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "print(is_cut_short(Path(sys.argv[1])))"
    )
    before = sorted(path.parent.iterdir())
    told = []
    for _ in range(2):
        environment = os.environ | {"TMPDIR": str(tmp_path / "nowhere")}
        command = [sys.executable, "-c", code, str(path)]
        told.append(subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60).stdout)
        assert sorted(path.parent.iterdir()) == before
        os.truncate(left_by_the_dead, left_by_the_dead.stat().st_size // 2)

    assert told == ["False\n", "True\n"]


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_a_log_is_read_as_far_as_sqlite_reads_it(tmp_path: Path, page_size: int) -> None:
    """Damaged at any place, or not at all, it has the frames that SQLite then takes of it."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
        for number in range(12):
            connection.execute("INSERT INTO t VALUES (randomblob(?))", (number * page_size // 4,))
        log = source.with_name("source-wal").read_bytes()
        first_page = source.read_bytes()

    told = set()
    for at in [None, *range(0, len(log), len(log) // 60)]:
        damaged = log if at is None else log[:at] + bytes([log[at] ^ 0xFF]) + log[at + 1 :]
        copy.write_bytes(first_page)
        copy.with_name("copy-wal").write_bytes(damaged)
        counted = _readable_frames(copy.with_name("copy-wal"))
        told.add(counted)
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint").fetchone() == (0, counted, counted)
    assert {0, len(log) // (24 + page_size)} < told


def test_an_open_mirror_is_not_asked_for_its_wal(path: Path) -> None:
    """Its log is longer or shorter from moment to moment, here and in other processes."""
    with Mirror.open(path) as mirror:
        mirror.write([item(make_record(number=1))])
        again, found = open_or_rescue(path, 1000, outbox=False)
        again.close()
        code = (
            "import sys; from pathlib import Path; from failtrace.mirror.rescue import open_or_rescue\n"
            "mirror, found = open_or_rescue(Path(sys.argv[1]), 1000, outbox=False)\n"
            "print(found, mirror.failures().total)"
        )
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
        mirror.write([item(make_record(number=2))])

        assert (found, other.stdout) == (None, "None 1\n")
        assert mirror.failures().total == 2


def test_no_thread_opens_a_mirror_while_its_files_are_looked_at(path: Path) -> None:
    """Whoever closes a file of it would give up the locks that SQLite has just taken for another thread."""
    opened = threading.Event()

    def open_it() -> None:
        with Mirror.open(path):
            opened.set()

    opener = threading.Thread(target=open_it)
    with looking_at_files():
        opener.start()
        assert not opened.wait(0.2)
        assert not is_open_here(path)
    opener.join()

    assert opened.is_set()
    assert not is_open_here(path)


def misread(path: Path) -> None:
    """The rows of `run` stand where those of `execution` were: they can be read, and are none."""
    page = root_page(path, "run")
    overwrite(path, root_page(path, "execution"), path.read_bytes()[(page - 1) * PAGE : page * PAGE])


def test_a_table_that_tells_too_little_loses_no_record(filled: Path) -> None:
    """A page of another table under `execution` has fewer rows than there are records."""
    misread(filled)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert whole(mirror) == FAILURES


@pytest.mark.parametrize("whole_page", [False, True], ids=["list of tables", "first page"])
@pytest.mark.parametrize("which", [1, 23, 24])
def test_a_damaged_list_of_tables_loses_nothing(filled: Path, which: int, whole_page: bool) -> None:
    """Every mirror has the same tables on the same pages, so a fresh one tells where they are."""
    at = 0 if whole_page or which > 1 else 100
    overwrite(filled, which, os.urandom(PAGE - at), at)

    mirror, found = open_or_rescue(filled, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert (whole(mirror), found.records, found.unreadable, found.unread_bytes) == (FAILURES, FAILURES, 0, 0)
        assert len(mirror.runs().rows) == 3


def test_what_could_not_be_looked_for_is_said_in_bytes(filled: Path) -> None:
    """With the roots of both tables gone nobody knows how many records there were: no number of rows is made up."""
    for table in ("execution", "body"):
        overwrite(filled, root_page(filled, table), os.urandom(PAGE))
    size = filled.stat().st_size

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    mirror.close()
    assert found is not None
    assert f"nothing of its {size:,} bytes could be read, and records may still be in it" in found.told
    assert "rows" not in found.told


@pytest.mark.parametrize("version", [-5, 0, 1, 3])
def test_a_version_that_the_tables_belie_is_damage(filled: Path, version: int) -> None:
    """A negative or smaller number than the file's own: nothing is lost, and nothing raises an IndexError."""
    changed(filled, f"PRAGMA user_version = {version}")

    mirror, found = open_or_rescue(filled, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert whole(mirror) == FAILURES


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere") / "mirror.sqlite")


@pytest.mark.parametrize(
    ("make", "words"),
    [(Path.mkdir, "it is a folder"), (dangling, "it is a link to nothing"), (os.mkfifo, "it is a pipe or a device")],
    ids=["folder", "link", "fifo"],
)
def test_what_is_no_file_is_said_to_be_what_it_is(path: Path, make: Callable[[Path], None], words: str) -> None:
    """One sentence that says what stands there and what to do; nothing is changed."""
    path.parent.mkdir()
    make(path)

    for opened in (open_or_rescue, rescue):
        with pytest.raises(StoreError, match=f"{words}; move it away, or point FAILTRACE_HOME"):
            opened(path, 1000, outbox=False)

    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_great_id_that_damage_made_does_not_hold_up_a_rescue(filled: Path) -> None:
    """Ids are not tried one by one up to a number that no file could hold."""
    changed(filled, f"UPDATE execution SET id = {2**61} WHERE id = 7")
    shutil.copyfile(filled, filled.with_name("copy"))

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert whole(mirror) >= FAILURES - 1

"""Damage of every kind to the mirror's file: it is set aside as it is, and what can be read goes on in a fresh one."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.rescue import MARK, open_or_rescue, rescue, set_aside

FAILURES = 60
DEEDS = 30
"""A run was started, then they are exports."""
PAGE = 4096


@pytest.fixture
def filled(path: Path) -> Path:
    """Failures with a record of several pages each, executions that passed, and a run; none of it in a WAL."""
    with Mirror.open(path, clock=lambda: NOON) as mirror:
        mirror.start_run("run-1", subjects=["answer"], planned=9, pid=1, at=NOON)
        for number in range(1, FAILURES + 1):
            record = make_record(FailureType.EXCEPTION, number=number, message=f"order {number} " + "x" * 3000)
            mirror.write([item(record)])
        mirror.write([item(make_record(None, number=1000 + number)) for number in range(20)])
        for number in range(DEEDS - 1):
            mirror.note("exported", f"order {number}", "ada@example.com")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])


def bodies(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM body").fetchone()[0])


def overwrite(path: Path, at: int, content: bytes) -> bytes:
    """Damage the file in place; gives its bytes afterwards."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)
    return path.read_bytes()


def test_a_sound_mirror_is_opened_as_it_is(filled: Path) -> None:
    """Nothing is set aside, also when every page was looked at."""
    for whole in (False, True):
        mirror, found = rescue(filled, 1000, outbox=False, whole=whole)
        with mirror:
            assert found is None
            assert mirror.health().failures == FAILURES
    assert set_aside(filled) == []


def test_a_damaged_header_loses_nothing(filled: Path) -> None:
    """The first hundred bytes tell how to read the file, and are the same in every mirror: all comes back."""
    damaged = overwrite(filled, 0, os.urandom(100))

    mirror, found = open_or_rescue(filled, 1000, outbox=False)

    with mirror:
        assert found is not None
        assert (found.records, found.without_record, found.unreadable) == (FAILURES + 20, 0, 0)
        assert mirror.health().failures == mirror.failures().total == FAILURES
        assert mirror.run("run-1") is not None
        for number in range(1, FAILURES + 1):
            assert mirror.record(failure_id_of(number)) is not None
    assert found.aside.read_bytes() == damaged
    ((aside, told),) = set_aside(filled)
    assert (aside, told) == (found.aside, found.told)


@pytest.mark.parametrize("table", ["execution", "body", "rollup", "failure_text_data", "execution_by_type", "state"])
def test_a_damaged_page_takes_no_more_than_was_on_it(filled: Path, table: str) -> None:
    """Whichever table a page belongs to, records whose bytes are whole come back, found and counted as before."""
    damaged = overwrite(filled, (root_page(filled, table) - 1) * PAGE, b"\xff" * PAGE)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert found.aside.read_bytes() == damaged
        assert mirror.failures().total == FAILURES
        kept = [number for number in range(1, FAILURES + 1) if mirror.record(failure_id_of(number)) is not None]
        assert len(kept) == (0 if table == "body" else FAILURES)
        assert found.without_record == FAILURES + 20 - bodies(filled)
        assert mirror.is_sound()
        assert mirror.write([item(make_record(number=5000))]) == 1


def test_a_damaged_record_keeps_its_summary(filled: Path) -> None:
    """One flipped byte in one record: the others are whole, and this one is still listed."""
    content = filled.read_bytes()
    at = content.index(b"order 7 xxx") + 2000
    overwrite(filled, (at // PAGE) * PAGE, os.urandom(PAGE))

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        lost = [n for n in range(1, FAILURES + 1) if mirror.record(failure_id_of(n)) is None]
        assert mirror.failures().total == FAILURES
        assert len(lost) <= 1
        assert found is None or found.without_record == len(lost)


def test_who_did_what_is_taken_over(filled: Path) -> None:
    """Every deed with its time, under its number, from a file whose header is gone; new ones go on behind them."""
    with Mirror.open(filled) as mirror:
        before = mirror.audit(100)
    overwrite(filled, 0, os.urandom(100))

    mirror, _ = open_or_rescue(filled, 1000, outbox=False)

    with mirror:
        assert before[1] == DEEDS
        assert mirror.audit(100) == before
        mirror.note("imported", "after the rescue", "ada@example.com")
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT max(id), count(*) FROM audit").fetchone() == (DEEDS + 1, DEEDS + 1)


@pytest.mark.parametrize("table", ["audit", "run"])
@pytest.mark.parametrize("content", [bytes(PAGE), b"\xff" * PAGE], ids=["00", "ff"])
def test_a_table_that_cannot_be_read_is_told(filled: Path, table: str, content: bytes) -> None:
    """Which one, and not the other; and no number of a deed that is lost is given again, after a second rescue too."""
    overwrite(filled, (root_page(filled, table) - 1) * PAGE, content)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)
    with mirror:
        assert found is not None
        told = [name for name in ("its runs could not be read", "its audit could not be read") if name in found.told]
        assert told == [f"its {'audit' if table == 'audit' else 'runs'} could not be read"]
        assert mirror.audit()[1] == (0 if table == "audit" else DEEDS)
        for number in range(2):
            mirror.note("imported", f"after the rescue {number}", "ada@example.com")
    overwrite(filled, 0, os.urandom(100))
    mirror, found = open_or_rescue(filled, 1000, outbox=False)
    with mirror:
        assert found is not None
        mirror.note("imported", "after the next", "ada@example.com")

    with closing(sqlite3.connect(filled)) as connection:
        numbers = [number for (number,) in connection.execute("SELECT id FROM audit ORDER BY id")]
    assert numbers[-3:] == [DEEDS + 1, DEEDS + 2, DEEDS + 3]


def test_deeds_of_a_mirror_that_shrank_are_taken_over(filled: Path) -> None:
    """Their numbers may be greater than the file has bytes: it was once a great one, whose audit was lost."""
    numbers = [10**9, 10**9 + 1, 10**12]
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("DELETE FROM audit")
        for number in (*numbers, 2**62):
            connection.execute("INSERT INTO audit VALUES (?, 1, 'ada', 'exported', 'x')", (number,))

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)
    with mirror:
        assert found is not None
        assert found.unreadable == 1
        mirror.note("imported", "after the rescue", "ada@example.com")

    with closing(sqlite3.connect(filled)) as connection:
        found_numbers = [number for (number,) in connection.execute("SELECT id FROM audit ORDER BY id")]
    assert found_numbers == [*numbers, 10**12 + 1]


def test_a_lost_record_of_an_execution_that_passed_is_told(filled: Path) -> None:
    """And one that passed of which none had been kept is not said to have lost it."""
    with Mirror.open(filled, keep_passed=10) as mirror:
        mirror.write([item(make_record(None, number=2000))])
    kept = bodies(filled)
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (content,) = connection.execute("SELECT body FROM body ORDER BY execution_id DESC LIMIT 1").fetchone()
    overwrite(filled, filled.read_bytes().index(content) + 20, b"x" * 20)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert (found.records, found.without_record) == (FAILURES + 21, 1)
        assert "81 executions were taken over, 1 without their record" in found.told
        assert bodies(filled) == kept - 1 < FAILURES + 20


@pytest.mark.parametrize("content", [b"x", b"", os.urandom(50_000), b"SQLite format 3\x00" + b"\xff" * 9000])
def test_what_cannot_be_read_at_all_is_kept_and_said(path: Path, content: bytes) -> None:
    """Nothing of it is changed, and the mirror works."""
    path.parent.mkdir()
    path.write_bytes(content)

    mirror, found = open_or_rescue(path, 1000, outbox=False)

    with mirror:
        assert mirror.write([item(make_record(number=1))]) == 1
    if content:
        assert found is not None
        assert (found.records, found.aside.read_bytes()) == (0, content)


def test_a_truncated_file_gives_what_it_holds(filled: Path) -> None:
    """Half a file gives half its records or fewer, and no error."""
    with filled.open("r+b") as file:
        file.truncate(filled.stat().st_size // 2)

    mirror, found = rescue(filled, 1000, outbox=False, whole=True)

    with mirror:
        assert found is not None
        assert 0 <= found.records <= FAILURES + 20
        assert mirror.failures().total + 20 >= found.records
        assert mirror.is_sound()


def test_a_torn_wal_gives_all_before_the_tear(filled: Path, tmp_path: Path) -> None:
    """SQLite takes a WAL up to its first bad frame, so what was acknowledged before it is there."""
    with Mirror.open(filled) as mirror:
        mirror.write([item(make_record(number=200))])
        mirror.write([item(make_record(number=201))])
        wal = filled.with_name(f"{filled.name}-wal")
        torn = tmp_path / "torn"
        torn.mkdir()
        shutil.copyfile(filled, torn / filled.name)
        (torn / wal.name).write_bytes(wal.read_bytes()[:-100])

    mirror, found = rescue(torn / filled.name, 1000, outbox=False, whole=True)

    with mirror:
        assert found is None
        assert mirror.execution(f"{200:032x}") is not None
        assert mirror.execution(f"{201:032x}") is None


def test_failures_taken_over_are_sent_again_where_there_is_a_store(filled: Path) -> None:
    """What had been delivered is not known any more; Cosmos DB takes each failure once, so all are sent."""
    overwrite(filled, 0, b"\x00" * 100)

    mirror, found = open_or_rescue(filled, 1000, outbox=True)

    with mirror:
        assert found is not None
        assert mirror.outbox.pending() == FAILURES


def test_of_many_processes_one_rescues(filled: Path) -> None:
    """Eight that start at once on a damaged file all open the same fresh mirror, and one file is set aside."""
    overwrite(filled, 0, b"\x00" * 100)
    code = (
        "import sys; from pathlib import Path; from failtrace.mirror.rescue import open_or_rescue\n"
        "mirror, _ = open_or_rescue(Path(sys.argv[1]), 1000, outbox=False)\n"
        "with mirror: print(mirror.failures().total)"
    )

    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(filled)], stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    counted = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0] * 8
    assert counted == [str(FAILURES)] * 8
    assert len(set_aside(filled)) == 1
    assert MARK in set_aside(filled)[0][0].name
    assert {file.name for file in filled.parent.iterdir()} == {
        filled.name,
        set_aside(filled)[0][0].name,
        f"{set_aside(filled)[0][0].name}.txt",
    }

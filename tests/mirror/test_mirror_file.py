"""The file behind the mirror: fresh, foreign, newer, unwritable, damaged, gone, full."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn
from support.read_only import read_only
from support.records import failure_id_of, item, make_record

from failtrace.errors import StoreError
from failtrace.mirror import engine
from failtrace.mirror.migrations import MIGRATIONS
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.tables import metadata


def test_a_fresh_file_is_made_with_its_folders(tmp_path: Path) -> None:
    """A path that does not exist yet becomes a mirror in WAL mode, and stays one when it is opened again."""
    path = tmp_path / "deep" / "er" / "mirror.sqlite"

    with Mirror.open(path) as mirror:
        mirror.write([item(make_record(number=1))])
    with Mirror.open(path) as mirror:
        assert mirror.execution(f"{1:032x}") is not None
        assert mirror.health().schema_version == len(MIGRATIONS)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_mirror_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that changes its directory after opening a relative path goes on with the same file."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    with Mirror.open(Path("home/mirror.sqlite")) as mirror:
        monkeypatch.chdir(tmp_path / "elsewhere")
        mirror._database._handle.engine.dispose()
        mirror.write([item(make_record())])

    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == []
    assert mirror.path == tmp_path / "home" / "mirror.sqlite"


def test_an_empty_file_is_fresh(path: Path) -> None:
    """Zero bytes, as a full disk or a `touch` leaves them, are no damage."""
    path.parent.mkdir()
    path.touch()

    with Mirror.open(path) as mirror:
        assert mirror.write([item(make_record())]) == 1


def test_the_tables_are_what_the_migrations_make(mirror: Mirror, path: Path) -> None:
    """The SQLModel classes and the file agree in every table, column, type, key and index."""

    def shape(engine: Engine) -> dict[str, object]:
        found = inspect(engine)

        def plain(column: ReflectedColumn) -> tuple[str, str, bool, int]:
            return column["name"], str(column["type"]), column["nullable"], column.get("primary_key", 0)

        return {
            table: (
                [plain(column) for column in found.get_columns(table)],
                sorted(
                    (index["name"] or "", tuple(index["column_names"]), index["unique"])
                    for index in found.get_indexes(table)
                ),
            )
            for table in found.get_table_names()
            if not table.startswith("failure_text")
        }

    ours, theirs = create_engine("sqlite://"), create_engine(f"sqlite:///{path}")
    metadata.create_all(ours)

    assert shape(theirs) == shape(ours)
    ours.dispose()
    theirs.dispose()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not a database, but long enough to have a header of a hundred bytes" * 9, id="text"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 5000, id="broken header"),
        pytest.param(b"x", id="one byte"),
    ],
)
def test_what_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    """One sentence with the path, and not a byte of somebody's file changed."""
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"mirror\.sqlite' (is not a SQLite database|is damaged)"):
        Mirror.open(path)

    assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    """A file with other tables in it is not taken over."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (a)")

    with pytest.raises(StoreError, match="is a SQLite database of another program"):
        Mirror.open(path)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_newer_mirror_is_not_touched(path: Path) -> None:
    """A file of a newer failtrace asks for an upgrade."""
    Mirror.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(StoreError, match=f"schema version {len(MIGRATIONS) + 1} .* upgrade failtrace"):
        Mirror.open(path)


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A folder under a file, and a path that is a folder, are one sentence each."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()

    with pytest.raises(StoreError, match=r"folder .*file/home' of the mirror cannot be made \(.*FAILTRACE_HOME"):
        Mirror.open(tmp_path / "file" / "home" / "mirror.sqlite")
    with pytest.raises(StoreError, match="folder' cannot be used, for it is a folder; move it away"):
        Mirror.open(tmp_path / "folder")


def test_a_file_that_vanishes_is_noticed(mirror: Mirror, path: Path) -> None:
    """SQLite would go on writing into a removed file, and lose it all: reading and writing say so instead."""
    mirror.write([item(make_record())])
    shutil.rmtree(path.parent)

    for use in (lambda: mirror.write([item(make_record())]), mirror.failures, mirror.data_version):
        with pytest.raises(StoreError, match="was removed or replaced while it was open"):
            use()


def test_a_file_that_is_replaced_is_noticed(mirror: Mirror, path: Path, tmp_path: Path) -> None:
    """Another file under the same name is not written to by those who opened the first."""
    Mirror.open(tmp_path / "other.sqlite").close()
    (tmp_path / "other.sqlite").replace(path)

    with pytest.raises(StoreError, match="was removed or replaced while it was open"):
        mirror.write([item(make_record())])


def test_a_full_disk_loses_nothing(path: Path) -> None:
    """The batch that does not fit is refused whole; what was acknowledged is there; the next that fits is taken."""
    with Mirror.open(path) as mirror:
        connections = mirror._database._handle.engine

        # SQLite itself answers SQLITE_FULL, at a size of our choosing instead of the disk's.
        def limit(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA max_page_count = 120")

        event.listen(connections, "connect", limit)
        connections.dispose()
        stored = 0

        def fill() -> None:
            nonlocal stored
            for _ in range(1000):
                stored += mirror.write([item(make_record(input="x" * 3000)) for _ in range(10)])

        with pytest.raises(StoreError, match=r"The disk of the mirror .* is full; free some space"):
            fill()

        assert stored > 0
        assert mirror.overview().executions == stored == mirror.failures().total
        assert mirror.write([item(make_record(None, input=None, steps=()))]) == 1
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_damage_inside_the_file_is_said(path: Path) -> None:
    """Pages of noise under the tables are one sentence, not a traceback of SQLite."""
    with Mirror.open(path) as mirror:
        mirror.write([item(make_record()) for _ in range(200)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))

    with pytest.raises(StoreError, match="is damaged; end what uses it and run `failtrace recover --mirror`"):  # noqa: SIM117
        with Mirror.open(path) as mirror:
            mirror.failures()


def test_a_lock_that_is_never_released_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds the file is waited for, then named as the reason; reading goes on meanwhile."""
    monkeypatch.setattr(engine, "WAIT_S", 0.05)
    with Mirror.open(path) as mirror, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError, match=r"kept locked by another process for over 0\.05 s"):
            mirror.write([item(make_record())])
        assert mirror.failures().rows == ()

        other.execute("ROLLBACK")
        assert mirror.write([item(make_record())]) == 1


def test_a_closed_mirror_says_so(path: Path) -> None:
    """Using it after close is a programming slip, told in a sentence; closing twice is none."""
    mirror = Mirror.open(path)
    mirror.close()
    mirror.close()

    with pytest.raises(StoreError, match="was closed"):
        mirror.failures()


@pytest.mark.parametrize("in_use", [False, True])
def test_a_folder_that_cannot_be_written_can_be_read(path: Path, in_use: bool) -> None:
    """As of a backup, or of another account, which may have it open; what would write is refused in a sentence."""
    with ExitStack() as stack:
        writer = stack.enter_context(Mirror.open(path))
        writer.write([item(make_record(number=number)) for number in range(1, 4)])
        if not in_use:
            writer.close()
        folder = stack.enter_context(read_only(path.parent))
        mirror = stack.enter_context(Mirror.open(folder / path.name))

        assert mirror.failures().total == 3
        if folder != path.parent:
            with Mirror.open(path) as other:
                other.write([item(make_record(number=4))])
            assert mirror.failures().total == 4
        assert mirror.record(failure_id_of(2)) is not None
        with pytest.raises(StoreError, match="cannot be written"):
            mirror.write([item(make_record(number=5))])

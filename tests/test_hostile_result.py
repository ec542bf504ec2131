"""The last answer to what this installation catches: kept whole, replaced in one go, unread where it is damaged."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from failtrace.errors import ExecutionError
from failtrace.hostile import Caught
from failtrace.hostile_result import keep_result, last_result

CAUGHT = Caught("abort", "Abort", True, "recorded with SIGABRT", "SIGABRT \ufffd ended it.", None, 0.25, 20.0)


def test_what_is_kept_is_read_equal(tmp_path: Path) -> None:
    """With when it was and under which versions; the folder is made where there is none."""
    home = tmp_path / "home"
    keep_result(home, [CAUGHT])
    result = last_result(home)

    assert result is not None
    assert result.caught == (CAUGHT,)
    assert 0 <= (datetime.now(UTC) - result.ended_at).total_seconds() < 600
    assert [file.name for file in home.iterdir()] == ["hostile.json"]


def test_the_last_one_stays(tmp_path: Path) -> None:
    """Each takes the place of the one before."""
    keep_result(tmp_path, [CAUGHT])
    keep_result(tmp_path, [])

    assert last_result(tmp_path).caught == ()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "damaged", ["", "{", '{"caught": 1}', "\udcff", "[" * 100_000], ids=["empty", "torn", "another", "no-text", "deep"]
)
def test_what_is_damaged_is_no_answer(tmp_path: Path, damaged: str) -> None:
    """The page then asks for a new one, as before the first."""
    (tmp_path / "hostile.json").write_bytes(damaged.encode(errors="surrogateescape"))

    assert last_result(tmp_path) is None


def test_a_folder_that_takes_no_file_is_one_sentence(tmp_path: Path) -> None:
    """Nothing half-written stays behind."""
    (tmp_path / "hostile.json").mkdir()

    with pytest.raises(ExecutionError, match=r"Cannot keep what was caught in .*; mend the folder"):
        keep_result(tmp_path, [CAUGHT])

    assert [file.name for file in tmp_path.iterdir()] == ["hostile.json"]

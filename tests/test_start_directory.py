"""Relative paths of the settings count from where the process began, wherever it goes later."""

import os
from pathlib import Path

import pytest
from support.watched import program, recorded


def test_a_program_that_changes_directory_keeps_its_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its failures are in one place, its own rules are found, and its subjects' processes have the same home."""
    start, elsewhere = tmp_path / "start", tmp_path / "elsewhere"
    start.mkdir()
    elsewhere.mkdir()
    (start / "rules.toml").write_text('keys = ["badge"]\n')
    done = program(
        tmp_path,
        f"""
        import os
        from failtrace import run_with_failure_detection, watch
        from failtrace.settings import Settings
        @watch(name="fails")
        def fails(badge): 1 // 0
        def attempt():
            try: fails(badge="blue")
            except ZeroDivisionError: pass
        attempt()
        os.chdir({str(elsewhere)!r})
        attempt()
        print(Settings.load().home)
        print(run_with_failure_detection(lambda _: str(Settings.load().home))[1].output)
        """,
        cwd=start,
        env={**os.environ, "FAILTRACE_HOME": "kept", "FAILTRACE_REDACTION": "rules.toml"},
    )

    assert done.stdout.split() == [str(start / "kept")] * 2, done.stderr
    assert list(elsewhere.iterdir()) == []
    monkeypatch.setenv("FAILTRACE_HOME", str(start / "kept"))
    badges = [record.input["kwargs"]["badge"] for record in recorded()]  # type: ignore[index, call-overload]
    assert len(badges) == 2
    assert "blue" not in badges


def test_where_the_directory_is_gone_a_relative_home_is_one_sentence(tmp_path: Path) -> None:
    """It says what to set; an absolute one is used as it is."""
    done = program(
        tmp_path,
        """
        import os
        os.makedirs("gone")
        os.chdir("gone")
        os.rmdir("../gone")
        from failtrace.errors import SettingsError
        from failtrace.settings import Settings
        print(Settings.load().home)
        del os.environ["FAILTRACE_HOME"]
        try: Settings.load()
        except SettingsError as error: print(error)
        """,
        cwd=tmp_path,
    )

    home, told = done.stdout.splitlines()
    assert home == os.environ["FAILTRACE_HOME"]
    assert told.startswith("Cannot find '.failtrace': the directory in which this program began is gone; set")

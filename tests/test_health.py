"""What doctor and the Health page warn of, each shown by the fault itself."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from support.records import item, make_record

from failtrace import FailureType, TraceStore
from failtrace.capture.watch_status import FOLDER, WatchStatus, write_status
from failtrace.health import Finding, delivery_finding, examine
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import UnreadableItem
from failtrace.settings import Settings


def finding(check: str, *, pages: bool = False) -> Finding:
    return next(found for found in examine(pages=pages) if found.check == check)


def test_all_is_well_in_a_fresh_home(clean_environment: Path) -> None:
    """Nothing is warned of where nothing is wrong."""
    assert [found for found in examine() if found.state == "failed"] == []
    assert [finding(check).state for check in ("redaction", "watch", "mirror", "delivery")] == ["ok"] * 4


def test_a_damaged_page_of_the_mirror_is_told_where_pages_are_looked_at(clean_environment: Path) -> None:
    """The counts stand on other pages; the line of who does not look says so, and who does."""
    path = Settings.load().mirror_path
    with Mirror.open(path) as mirror:
        mirror.write([item(make_record(number=number)) for number in range(1, 40)])
    sound = finding("mirror", pages=True)
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'execution_by_subject'").fetchone()
    with path.open("r+b") as file:
        file.seek((root[0] - 1) * 4096)
        file.write(bytes(4096))

    unseen, seen = finding("mirror"), finding("mirror", pages=True)

    assert (sound.state, sound.detail.endswith("; every page can be read")) == ("ok", True)
    assert (unseen.state, "pages were not looked at: `failtrace doctor` does" in unseen.detail) == ("ok", True)
    assert (seen.state, "is damaged; end what uses it and run `failtrace recover --mirror`" in seen.detail) == (
        "failed",
        True,
    )


def test_a_great_mirror_is_not_read_page_by_page(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says so, and which command reads them all."""
    monkeypatch.setattr("failtrace.health._MOST_LOOKED_AT", 1000)

    told = finding("mirror", pages=True)

    assert (told.state, "not looked at: `failtrace recover --mirror` does" in told.detail) == ("ok", True)


def test_secrets_that_others_may_read_are_told(
    clean_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dashboard's secrets.toml must be for its owner alone; the finding says by which command."""
    (tmp_path / ".streamlit").mkdir()
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.write_text("[auth]\n")
    secrets.chmod(0o644)
    monkeypatch.chdir(tmp_path)

    told = finding("redaction")
    secrets.chmod(0o600)

    assert (told.state, "chmod 600" in told.detail) == ("warning", True)
    assert finding("redaction").state == "ok"


def test_trouble_of_a_watched_program_is_told(clean_environment: Path) -> None:
    """With its name, what went wrong and how often."""
    status = WatchStatus(
        pid=4711,
        program="shop.py",
        at=time.time(),
        waiting=0,
        stored=5,
        left=1,
        dropped=7,
        in_memory_alone=0,
        faults=2,
        last_fault="OSError: no room",
    )
    write_status(Settings.load().home / FOLDER, status)

    told = finding("watch")

    assert told.state == "warning"
    assert "'shop.py'" in told.detail
    assert "dropped: 7, left for a recovery: 1, faults of failtrace's: 2 (the last: OSError: no room)" in told.detail


def test_items_that_cannot_be_read_are_told(clean_environment: Path) -> None:
    """A foreign item in the container is a warning for as long as its copy is kept."""
    settings = Settings.load(cosmos_endpoint="http://127.0.0.1:9/", cosmos_key=SecretStr("AAAA"))
    with TraceStore.open("cosmos", settings=settings) as store:
        before = delivery_finding(store)
        odd = UnreadableItem("odd", 1, "no record", b"{}")
        store.mirror.inbox.take(store.source, [], watermark=1, unreadable=[odd])
        after = delivery_finding(store)

    assert (before.state, after.state) == ("ok", "warning")
    assert after.detail.startswith("1 item in the container could not be read")


def test_a_backlog_that_waits_too_long_is_told(clean_environment: Path) -> None:
    """Minutes without a delivery are a warning that says what to start."""
    settings = Settings.load(cosmos_endpoint="http://127.0.0.1:9/", cosmos_key=SecretStr("AAAA"))
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    with Mirror.open(settings.mirror_path, clock=lambda: long_ago) as mirror:
        mirror.write([item(make_record(FailureType.TIMEOUT, number=1, ended_at=long_ago))], outbox=True)
    with TraceStore.open("cosmos", settings=settings) as store:
        told = delivery_finding(store)

    assert told.state == "warning"
    assert told.detail.startswith("1 failure wait, one for 3")

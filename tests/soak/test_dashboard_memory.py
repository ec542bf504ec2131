"""A dashboard that is left open: its server's memory stays where it is."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest
from browser.conftest import Open, Watch, browser, home, open_, server, watch
from support.records import item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

__all__ = ["browser", "home", "open_", "server", "watch"]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
TABS = ("/", "/failures", "/run")
EVERY_S = 5.0


def server_pid() -> int:
    """The server is the only child of this process that runs Streamlit."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return next(int(pid) for pid in children if b"streamlit" in Path(f"/proc/{pid}/cmdline").read_bytes())


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def samples(mirror: Mirror, pid: int) -> Iterator[int]:
    """A new failure every few seconds, and the memory after each."""
    end = time.monotonic() + MINUTES * 60
    number = 100
    while time.monotonic() < end:
        number += 1
        mirror.write([item(make_record(FailureType.EXCEPTION, number=number))])
        # Time itself is what this test is about.
        time.sleep(EVERY_S)
        yield resident_bytes(pid)


def test_memory_is_flat_over_half_an_hour_of_three_tabs(home: Path, open_: Open, watch: Watch) -> None:
    """Three tabs refresh themselves while failures come in; the last third takes no more than the middle one."""
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.write([item(make_record(kind, number=number)) for number, kind in enumerate(FailureType, 1)])
        tabs = [open_(path) for path in TABS]
        taken = list(samples(mirror, server_pid()))

    third = len(taken) // 3
    middle, last = mean(taken[third : 2 * third]), mean(taken[2 * third :])
    print(
        f"\nresident memory of the server: {middle / 2**20:.0f} MB, then {last / 2**20:.0f} MB ({last / middle:.3f} x)"
    )
    assert last < middle * 1.05
    assert watch.errors == []
    assert all(tab.locator('[data-testid="stException"]').count() == 0 for tab in tabs)

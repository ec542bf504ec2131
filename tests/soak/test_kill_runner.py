"""The full count of `tests/test_recover.py`."""

from pathlib import Path

import pytest
from support.kill import kill_runners

KILLS = 50


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_50_killed_runners_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    """After 50 `kill -9` of `failtrace run`, every ended execution is there once and every open one is a failure."""
    kill_runners(KILLS, tmp_path, seed=3)

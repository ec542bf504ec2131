"""What the next start makes of a journal that a killed program left."""

from pathlib import Path

from support.kill import kill_runners


def test_killed_runners_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    """After `kill -9` of `failtrace run`, every ended execution is there once and every open one is a failure."""
    kill_runners(3, tmp_path, seed=1)

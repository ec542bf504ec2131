"""What was acknowledged stays, whatever kills who recorded it."""

from pathlib import Path

from support.kill_recorders import kill_recorders


def test_a_killed_recorder_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Killed at any moment, time after time on one mirror: nothing lost, nothing twice, all as their sha256 says."""
    told = kill_recorders(8, 300, tmp_path, seed=4)

    assert (told.lost, told.twice, told.unsound) == (0, 0, 0)
    assert told.acknowledged >= 300

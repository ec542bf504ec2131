"""The full count of `tests/mirror/test_mirror_kills.py`."""

from pathlib import Path

import pytest
from support.kill_recorders import kill_recorders

KILLS, RECORDS = 300, 20_000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_300_kills_of_the_recorder_lose_nothing(tmp_path: Path) -> None:
    """Of 20,000 records that were acknowledged none is lost, none is there twice, and all match their sha256."""
    told = kill_recorders(KILLS, RECORDS, tmp_path, seed=4)

    print(f"\n{told}")
    assert (told.lost, told.twice, told.unsound) == (0, 0, 0)
    assert told.kills >= KILLS
    assert told.acknowledged >= RECORDS

"""The full count of `tests/execution/test_kill.py`."""

from pathlib import Path

import pytest
from support.kill import kill_subjects

KILLS = 200


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_200_killed_subjects_leave_200_records_and_touch_no_sibling(tmp_path: Path) -> None:
    """200 `kill -9` at random moments: 200 records with the signal and the last open step, 200 siblings that pass."""
    kill_subjects(KILLS, tmp_path, seed=2)

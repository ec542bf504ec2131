"""A real mirror on the test's own disk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.records import NOON

from failtrace.mirror.mirror import Mirror


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "mirror.sqlite"


@pytest.fixture
def mirror(path: Path) -> Iterator[Mirror]:
    with Mirror.open(path) as opened:
        yield opened


@pytest.fixture
def late_mirror(path: Path) -> Iterator[Mirror]:
    """A mirror whose clock stands five hours after NOON."""
    with Mirror.open(path, clock=lambda: NOON + timedelta(hours=5)) as opened:
        yield opened

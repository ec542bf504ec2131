"""A real mirror on the test's own disk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from settable_clock import Clock
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed_mirror(path: Path, clock: Clock) -> Iterator[Mirror]:
    """A mirror whose clock stands at NOON until the test sets it."""
    with Mirror.open(path, clock=clock) as opened:
        yield opened

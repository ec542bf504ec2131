"""What every test stands on: `support` can be imported, and the environment says nothing."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings

from failtrace.capture.redaction import adopt
from failtrace.guard import GUARD
from failtrace.secrets.own_rules import OwnRules

# A busy machine is no failure: no test is held to a time.
settings.register_profile("failtrace", deadline=None)
settings.load_profile("failtrace")

_OURS = ("FAILTRACE_", "COSMOS_", "OTEL_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No setting of the person's shell reaches a test; all is kept under its tmp_path. Gives that home."""
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("FAILTRACE_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def built_in_redaction() -> Iterator[None]:
    """No test's own rules or secrets reach the next one."""
    yield
    adopt(OwnRules(), {})


@pytest.fixture(autouse=True)
def nothing_swallowed() -> Iterator[None]:
    """What the guard took upon itself during a test is raised at its end, so that nothing is swallowed quietly."""
    GUARD.caught.clear()
    GUARD.count = 0
    yield
    caught = [*GUARD.caught]
    GUARD.caught.clear()
    if caught:
        raise caught[0]

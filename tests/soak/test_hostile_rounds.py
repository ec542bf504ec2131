"""The full count of `tests/test_hostile.py`."""

from collections import Counter

import pytest

from failtrace.hostile import GRACE_S, Caught, run_hostile_apart
from failtrace.subjects.hostile import HOSTILE

ROUNDS = 20


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_hostile_subjects_are_caught_every_time() -> None:
    """20 rounds of all of them, four at once beside healthy siblings: each is caught, nothing left or changed."""
    told: list[Caught] = [caught for _ in range(ROUNDS) for caught in run_hostile_apart()]

    late = max(caught.elapsed_s - (caught.limit_s or caught.elapsed_s) for caught in told)
    siblings = sum(int(caught.seen.split()[0]) for caught in told if caught.name == "siblings")
    caught = sum(caught.caught for caught in told)
    print(
        f"\n{caught} of {len(told)} caught in {ROUNDS} rounds, latest {late:+.2f} s by its limit "
        f"(at most +{GRACE_S:g} s), {siblings} siblings passed"
    )
    assert Counter(caught.name for caught in told if not caught.caught) == {}
    assert len(told) == ROUNDS * (len(HOSTILE) + 2)

"""Nothing that others wrote crashes what reads it; `make soak` does the same for half an hour."""

import pytest
from support.fuzzing import TARGETS, fuzz

EXAMPLES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_random_values_crash_nothing(name: str) -> None:
    """A few examples of each target, other ones at each run."""
    found = fuzz(name, EXAMPLES)

    assert found.examples >= EXAMPLES // 2
    print(f"\nfuzzing of {name}: {found.examples} examples, 0 crashes, slowest {found.slowest_s * 1000:.1f} ms")

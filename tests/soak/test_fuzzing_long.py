"""The full count of `tests/test_fuzzing.py`: SOAK_MINUTES, 30 where nobody says."""

import os
import time

import pytest
from support.fuzzing import TARGETS, fuzz

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
AT_ONCE = 500
MOST_GROWN = 256 * 2**20


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_half_an_hour_of_random_values_crashes_nothing() -> None:
    """All targets in turn until the time is up: 0 crashes, no example that hangs, and no growth."""
    ends = time.monotonic() + MINUTES * 60
    examples, slowest, grown = dict.fromkeys(TARGETS, 0), dict.fromkeys(TARGETS, 0.0), 0
    for name in TARGETS:
        fuzz(name, AT_ONCE)  # what is loaded at first use is no growth
    while time.monotonic() < ends:
        for name in TARGETS:
            found = fuzz(name, AT_ONCE)
            examples[name] += found.examples
            slowest[name] = max(slowest[name], found.slowest_s)
            grown += found.grown_bytes

    assert grown < MOST_GROWN
    for name in TARGETS:
        print(f"\nfuzzing of {name}: {examples[name]:,} examples, 0 crashes, slowest {slowest[name] * 1000:.0f} ms")
    print(f"fuzzing grew the process by {grown / 2**20:.0f} MB in {MINUTES:g} minutes")

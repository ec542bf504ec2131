"""Ten thousand calls of a host whose failtrace is broken, for each way to break it."""

from pathlib import Path
from statistics import median

import pytest
from support.faulty_host import FAULTS, answer_of_host

from benchmarks.watch import measure

CALLS = 10_000
MOST_P99_MS = 5.0
"""What a call may take more, at the 99th percentile."""


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_ten_thousand_calls_are_what_they_were(fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Same results, and no call waits for failtrace's trouble."""
    answer = answer_of_host(fault, CALLS, tmp_path)

    with capsys.disabled():
        print(f"\nwatch with {fault}: {CALLS:,} calls the same: {answer['same']}, p99 +{answer['p99_ms']:.2f} ms")
    assert answer["same"] is True
    assert answer["p99_ms"] <= MOST_P99_MS


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_watched_call_costs_what_it_may(capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of `benchmarks/watch.py`: a passing call with no step, and one with five."""
    rows = measure(7, 0)

    with capsys.disabled():
        print(
            "\n"
            + "\n".join(f"{row.what}: {median(map(row.goal.reading, row.pairs)):.2f}{row.goal.unit}" for row in rows)
        )
    assert [row.goal.verdict(median(map(row.goal.reading, row.pairs))) for row in rows].count("MISSED") == 0

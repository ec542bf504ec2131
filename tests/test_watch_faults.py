"""A host does not notice whatever is wrong with failtrace; tests/soak makes ten thousand calls of it."""

from pathlib import Path

import pytest
from support.faulty_host import FAULTS, answer_of_host


@pytest.mark.parametrize("fault", FAULTS)
def test_a_host_gets_the_same_results(fault: str, tmp_path: Path) -> None:
    """Every call comes to what it came to without failtrace, and the program ends by itself."""
    assert answer_of_host(fault, 300, tmp_path)["same"] is True

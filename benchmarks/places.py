"""Where the benchmarks keep their files: `.bench/` at the top of the checkout, on the disk that a user would use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".bench"
RESULTS = Path(__file__).parent / "results.md"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; not under /tmp, which is memory on many machines."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)

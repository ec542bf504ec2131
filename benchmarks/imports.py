"""`import failtrace` in a fresh interpreter, against the two libraries that it stands on."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from benchmarks.harness import Goal, Row, in_time, interleave, times_floor

FLOOR = "import opentelemetry.sdk.trace, pydantic"
OURS = "import failtrace"
EVERY_NAME = "import failtrace; [getattr(failtrace, name) for name in failtrace.__all__]"
_TIMED = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """The public names load when they are first used; the note says what all of them cost."""
    pairs = interleave(rounds, lambda: _seconds(FLOOR), lambda: _seconds(OURS))
    whole = interleave(rounds, lambda: _seconds(FLOOR), lambda: _seconds(EVERY_NAME))
    ratio = median(map(times_floor, whole))
    return (
        Row(
            what="import failtrace",
            floor=FLOOR,
            goal=Goal(must=1.3, aim=1.1, unit=" ×", reading=times_floor),
            pairs=pairs,
            scale=in_time,
            note=f"with every public name used, store and runner included: {ratio:.2f} ×",
        ),
    )


def _seconds(code: str) -> float:
    """What the code takes in an interpreter of its own, whose own start is not counted."""
    done = subprocess.run([sys.executable, "-c", _TIMED.format(code)], capture_output=True, text=True, check=True)
    return float(done.stdout)

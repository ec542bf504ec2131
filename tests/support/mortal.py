"""A subject made to be killed, which says outside of failtrace what it does, as it does it.

Each execution keeps a diary, a file named for its trace_id, unbuffered: `open N` after step N was opened, `close N`
before it is closed, `end` just before it returns. Whatever kills it, the diary holds the truth up to one step.
"""

import os
from itertools import count
from pathlib import Path
from typing import Any

from opentelemetry import trace

from failtrace import step, subject

OUTERMOST = "all of it"


def works(amount: int) -> int:
    """Work instead of sleep; the same sum for the same amount."""
    return sum(number * number for number in range(amount))


@subject(name="lives", timeout=100)
def lives(task: dict[str, Any]) -> dict[str, int]:
    """Opens `steps` steps one after another, or for ever where that is None.

    Inside step `asks_at`, or inside each where that is None, it says its pid to the pipe, if there is one.
    """
    trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
    diary = os.open(Path(task["diaries"]) / trace_id, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    total = 0
    with step(OUTERMOST):
        os.write(diary, b"open outermost\n")
        for number in count() if task["steps"] is None else range(task["steps"]):
            with step(f"step {number}", payload="x" * 200):
                os.write(diary, b"open %d\n" % number)
                if task.get("pipe") and task.get("asks_at") in (None, number):
                    _say_pid(task["pipe"])
                total += works(task["amount"])
                os.write(diary, b"close %d\n" % number)
    os.write(diary, b"end\n")
    return {"number": task["number"], "total": total}


def _say_pid(pipe: str) -> None:
    """One short write, so that lines of several processes never mix; nothing where nobody listens any more."""
    try:
        fd = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, b"%d\n" % os.getpid())
        os.close(fd)
    except OSError:
        pass

"""One execution of a function that does nothing, in a fresh process, up to its record; against a raw fork."""

from __future__ import annotations

import os

from benchmarks.harness import Goal, Row, in_time, interleave, milliseconds, typical_of
from benchmarks.places import scratch
from benchmarks.subjects import nothing
from failtrace.detection.run import execute
from failtrace.execution.process import ProcessExecutor
from failtrace.settings import Settings
from failtrace.subjects.subject import subject_of

PER_ROUND = 60


def measure(rounds: int, _: int) -> tuple[Row, ...]:
    """From the call to the finished record, its segment discarded; the forkserver is warm, as after the first call."""
    subject, executor = subject_of(nothing), ProcessExecutor()
    with scratch() as home:
        settings = Settings.load(home=home)

        def ours() -> None:
            execution = execute(subject, 1, executor, settings)
            execution.segment.discard()
            if execution.record.failure is not None:
                raise AssertionError(execution.record.failure.message)

        pairs = interleave(rounds, lambda: typical_of(PER_ROUND, _fork), lambda: typical_of(PER_ROUND, ours))
    return (
        Row(
            what="one execution in a fresh process, to its record",
            floor="os.fork and wait",
            goal=Goal(must=10, aim=6, unit=" ms", reading=milliseconds),
            pairs=pairs,
            scale=in_time,
        ),
    )


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

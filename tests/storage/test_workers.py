"""Threads that work on items, where the system gives none or few."""

import threading
from collections.abc import Callable

import pytest

from failtrace.storage.workers import Workers

Starve = Callable[[int], None]


@pytest.fixture
def starve(monkeypatch: pytest.MonkeyPatch) -> Starve:
    """`starve(n)`: from now on the system gives n threads to workers, and no more."""
    start = threading.Thread.start
    left: list[None] = []

    def scarce(thread: threading.Thread) -> None:
        if thread.name.startswith("test-work"):
            if not left:
                raise RuntimeError("can't start new thread")
            left.pop()
        start(thread)

    # A real system that gives no thread would give none to pytest either.
    monkeypatch.setattr(threading.Thread, "start", scarce)
    return lambda threads: left.extend([None] * threads)


def test_an_item_that_no_thread_can_be_had_for_is_not_counted(starve: Starve) -> None:
    """It is refused, so that nobody waits for its result, and taken as soon as there is a thread."""
    workers: Workers[int, int] = Workers(lambda item: item * 2, 4, "test-work")
    with pytest.raises(RuntimeError, match="new thread"):
        workers.submit(1)
    assert workers.in_flight == 0

    starve(1)
    workers.submit(2)
    assert workers.collect(30.0) == [(2, 4)]
    workers.close()


def test_the_threads_there_are_do_the_work_of_those_that_could_not_be_had(starve: Starve) -> None:
    """One thread of four is enough for all items."""
    workers: Workers[int, int] = Workers(lambda item: item * 2, 4, "test-work")
    starve(1)
    for item in range(8):
        workers.submit(item)

    done = []
    while workers.in_flight:
        done += workers.collect(30.0)
    assert done == [(item, item * 2) for item in range(8)]
    workers.close()

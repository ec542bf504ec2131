"""One relay at a time, over any number of processes."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from settable_clock import Clock

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Holder

SPAWN = multiprocessing.get_context("spawn")
ONE, OTHER, DEAD = (Holder(name, os.getpid(), "here") for name in ("one", "other", "dead"))


def lives(_: Holder) -> bool:
    return True


def is_dead(_: Holder) -> bool:
    return False


def test_a_lease_is_taken_kept_and_left(timed_mirror: Mirror, clock: Clock) -> None:
    """Others get it when it is given up, not before; the holder is told as long as it holds."""
    outbox = timed_mirror.outbox

    assert outbox.acquire(ONE, 30, lives)
    assert not outbox.acquire(OTHER, 30, lives)
    until = clock.add(seconds=20).timestamp() + 30
    assert outbox.acquire(ONE, 30, lives)
    status = outbox.status()
    assert status.holder == ONE
    assert status.lease_until is not None
    assert status.lease_until.timestamp() == until

    outbox.release(OTHER)
    assert not outbox.acquire(OTHER, 30, lives)
    outbox.release(ONE)
    assert outbox.status().holder is None
    assert outbox.acquire(OTHER, 30, lives)


def test_a_lease_that_ran_out_is_free(timed_mirror: Mirror, clock: Clock) -> None:
    """Whoever slept too long has lost it, and learns so."""
    timed_mirror.outbox.acquire(ONE, 30, lives)
    clock.add(seconds=30)

    assert timed_mirror.outbox.status().holder is None
    assert timed_mirror.outbox.acquire(OTHER, 30, lives)
    assert not timed_mirror.outbox.acquire(ONE, 30, lives)


def test_a_dead_holder_is_followed_at_once(timed_mirror: Mirror) -> None:
    """Its lease need not run out; who it is, is asked of the one that wants it."""
    timed_mirror.outbox.acquire(DEAD, 30, lives)
    asked: list[Holder] = []

    def alive(holder: Holder) -> bool:
        asked.append(holder)
        return False

    assert timed_mirror.outbox.acquire(ONE, 30, alive)
    assert asked == [DEAD]


def test_a_lease_of_a_clock_that_was_set_back_is_free(timed_mirror: Mirror, clock: Clock) -> None:
    """A clock that stood in the next year and was put right does not stop delivery for a year."""
    clock.add(days=365)
    timed_mirror.outbox.acquire(ONE, 30, lives)
    clock.add(days=-365)

    assert timed_mirror.outbox.acquire(OTHER, 30, lives)


def test_the_slower_of_two_takers_loses(timed_mirror: Mirror) -> None:
    """Both find the holder dead; the one that was quicker has it, though the other still believes what it saw."""
    timed_mirror.outbox.acquire(DEAD, 30, lives)

    def meanwhile(_: Holder) -> bool:
        assert timed_mirror.outbox.acquire(OTHER, 30, is_dead)
        return False

    assert not timed_mirror.outbox.acquire(ONE, 30, meanwhile)
    status = timed_mirror.outbox.status()
    assert status.holder == OTHER


def test_a_renewal_is_no_news(timed_mirror: Mirror, clock: Clock) -> None:
    """No page redraws because a relay goes on holding its lease."""
    version = timed_mirror.data_version()

    timed_mirror.outbox.acquire(ONE, 30, lives)
    clock.add(seconds=5)
    timed_mirror.outbox.acquire(ONE, 30, lives)
    timed_mirror.outbox.release(ONE)

    assert timed_mirror.data_version() == version


def not_the_dead(holder: Holder) -> bool:
    return holder.name != DEAD.name


def race(path: Path, name: str, line: Connection) -> None:
    """What a taker process does: each time it is told, try to follow the dead holder, and say how that went."""
    with Mirror.open(path) as mirror:
        holder = Holder(name, os.getpid(), "here")
        line.send("ready")
        while line.recv():
            line.send(mirror.outbox.acquire(holder, 60, not_the_dead))


def test_of_racing_processes_one_wins(path: Path) -> None:
    """Time after time, three processes that see the same dead holder at once: the mirror names the only winner."""
    rounds, names = 25, ("a", "b", "c")
    with Mirror.open(path) as mirror:
        pipes = [SPAWN.Pipe() for _ in names]
        takers = [
            SPAWN.Process(target=race, args=(path, name, theirs))
            for name, (_, theirs) in zip(names, pipes, strict=True)
        ]
        for taker in takers:
            taker.start()
        lines = [ours for ours, _ in pipes]
        assert [line.recv() for line in lines] == ["ready"] * 3
        for _ in range(rounds):
            assert mirror.outbox.acquire(DEAD, 60, is_dead)
            for line in lines:
                line.send(True)
            won = [name for name, line in zip(names, lines, strict=True) if line.recv()]
            holder = mirror.outbox.status().holder
            assert holder is not None
            assert won == [holder.name]
        for line in lines:
            line.send(False)
        for taker in takers:
            taker.join()
            assert taker.exitcode == 0

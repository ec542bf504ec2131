"""A fork waits until no thread is inside of SQLite, and finds no connection open.

SQLite keeps a file's locks for the whole process. A child that inherits them takes for its own what no process holds,
and writes on into a log that others have removed (https://www.sqlite.org/howtocorrupt.html, 2.6); and it never gets
the lock of SQLite's memory where a thread that it does not have was holding it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WAIT_S = 2.0
"""How long a fork waits for what is at work. After that it does not: the child must keep away from what was open."""
_PATIENCE_S = 10.0
"""How long a thread waits for another's fork: a signal's handler that raises may keep one from telling its end."""


@dataclass(slots=True)
class _Fork:
    """One that is under way."""

    since: float
    is_calm: bool = False
    """Whether nothing is at work, and all is closed."""


# Taken as it is: `with` a Condition runs Python, in which a handler may raise with the lock held.
_lock = threading.RLock()
_changed = threading.Condition(_lock)
_at_work: dict[object, int] = {}
"""The thread of each piece of work."""
_waiting = 0
"""Threads that want to work, and go before the next fork."""
_forking: dict[int, _Fork] = {}
"""By thread."""
_closings: list[Callable[[], None]] = []
_forks = 0
_was_calm = True


@contextmanager
def at_work() -> Iterator[None]:
    """No thread forks while the block runs; of this thread itself, one that does is no calm fork."""
    me, work = threading.get_ident(), object()
    try:
        with _lock:
            if me not in _at_work.values():
                _wait_for_forks(me)
            _at_work[work] = me
        yield
    finally:
        _at_work.pop(work, None)
        with _lock:
            _changed.notify_all()


def before_fork(closing: Callable[[], None]) -> None:
    """Have `closing` called before each fork, when nothing is at work."""
    _closings.append(closing)


def forks() -> int:
    """How often this process has closed all for a fork."""
    return _forks


def was_calm() -> bool:
    """Whether nothing was at work, and all was closed, when this process was forked."""
    return _was_calm


def _wait_for_forks(me: int) -> None:
    global _waiting
    _waiting += 1
    try:
        _changed.wait_for(
            lambda: not any(_is_under_way(fork) for thread, fork in _forking.items() if thread != me), _PATIENCE_S
        )
    finally:
        _waiting -= 1
    # What is left is this thread's, or so old that it will not end: something is open from here on.
    for fork in _forking.values():
        fork.is_calm = False


def _is_under_way(fork: _Fork) -> bool:
    return time.monotonic() - fork.since < _PATIENCE_S


def _make_calm() -> None:
    global _forks
    me = threading.get_ident()
    with _lock:
        _changed.wait_for(lambda: not _waiting, WAIT_S)
        fork = _forking[me] = _Fork(time.monotonic())
        _changed.wait_for(lambda: all(thread == me for thread in _at_work.values()), WAIT_S)
        if not _at_work:
            _forks += 1
            # With the lock held, so that a fork of another thread waits until all is closed.
            for closing in _closings:
                closing()
            fork.is_calm = True


def _go_on() -> None:
    _forking.pop(threading.get_ident(), None)
    with _lock:
        _changed.notify_all()


def _begin_anew() -> None:
    """In the child, where the lock may be held by a thread that is not there."""
    global _lock, _changed, _waiting, _was_calm
    _lock = threading.RLock()
    _changed = threading.Condition(_lock)
    fork = _forking.get(threading.get_ident())
    # Without one it was forked by C code that tells only the child.
    _was_calm = fork is not None and fork.is_calm
    _at_work.clear()
    _forking.clear()
    _waiting = 0


os.register_at_fork(before=_make_calm, after_in_parent=_go_on, after_in_child=_begin_anew)

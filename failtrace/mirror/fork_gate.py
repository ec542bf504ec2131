"""A fork waits until no thread is inside of SQLite, and finds no connection open.

SQLite keeps a file's locks for the whole process. A child that inherits them takes for its own what no process holds,
and writes on into a log that others have removed (https://www.sqlite.org/howtocorrupt.html, 2.6); and it never gets
the lock of SQLite's memory where a thread that it does not have was holding it.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_S = 2.0
"""How long a fork waits for what is at work. After that it does not: the child must keep away from what was open."""
_PATIENCE_S = 10.0
"""How long a thread waits for another's fork."""

_changed = threading.Condition()
_at_work: dict[object, int] = {}
"""The thread of each piece of work."""
_forking = 0
_was_calm = True
_closings: list[Callable[[], None]] = []
_forks = 0


@contextmanager
def at_work() -> Iterator[None]:
    """No thread forks while the block runs; of this thread itself, one that does is no calm fork."""
    me, work = threading.get_ident(), object()
    with _changed:
        if me not in _at_work.values():
            _changed.wait_for(lambda: not _forking, _PATIENCE_S)
        _at_work[work] = me
    try:
        yield
    finally:
        with _changed:
            _at_work.pop(work, None)
            _changed.notify_all()


def before_fork(closing: Callable[[], None]) -> None:
    """Have `closing` called before each fork, when nothing is at work."""
    _closings.append(closing)


def forks() -> int:
    """How often this process has closed all for a fork."""
    return _forks


def was_calm() -> bool:
    """Whether nothing was at work, and all was closed, at the last fork; in a child, at the one that made it."""
    return _was_calm


def _make_calm() -> None:
    global _forking, _was_calm, _forks
    _was_calm = False
    me = threading.get_ident()
    with _changed:
        _forking += 1
        _changed.wait_for(lambda: all(thread == me for thread in _at_work.values()), WAIT_S)
        is_calm = not _at_work
    if is_calm:
        _forks += 1
        for closing in _closings:
            closing()
        _was_calm = True


def _go_on() -> None:
    global _forking
    with _changed:
        _forking = max(0, _forking - 1)
        _changed.notify_all()


def _begin_anew() -> None:
    """In the child, where the lock may be held by a thread that is not there."""
    global _changed, _forking
    _changed = threading.Condition()
    _at_work.clear()
    _forking = 0


os.register_at_fork(before=_make_calm, after_in_parent=_go_on, after_in_child=_begin_anew)

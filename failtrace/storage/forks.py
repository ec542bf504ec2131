"""What a forked child makes anew: a lock that a thread of the parent's held is held in the child for ever."""

import os
from typing import Protocol
from weakref import WeakSet


class Renewed(Protocol):
    """Something with locks."""

    def begin_anew(self) -> None:
        """Make them anew; called in the child before anything else runs there."""


_renewed: WeakSet[Renewed] = WeakSet()


def renew_in_child(owner: Renewed) -> None:
    """Have `owner.begin_anew` called in every child that is forked while `owner` lives."""
    _renewed.add(owner)


def _begin_anew() -> None:
    for owner in tuple(_renewed):
        owner.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)

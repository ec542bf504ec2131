"""What every row is made with: interleaved rounds, a goal, and the reading that is held against it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

Sample = Callable[[], float]
"""One round of one side: gives seconds (or a rate, where the goal says so)."""


class Pair(NamedTuple):
    """One round: the floor, and failtrace right after it on the same machine."""

    floor: float
    ours: float


def times_floor(pair: Pair) -> float:
    """How many times the floor."""
    return pair.ours / pair.floor


def milliseconds(pair: Pair) -> float:
    """Ours alone, in ms; the floor is there to compare."""
    return pair.ours * 1000


def seconds_more(pair: Pair) -> float:
    """What ours takes on top of the floor, in seconds."""
    return pair.ours - pair.floor


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row has to reach (`must`), and what it should reach after that (`aim`)."""

    must: float
    aim: float
    unit: str
    reading: Callable[[Pair], float]
    more_is_better: bool = False

    def verdict(self, value: float) -> str:
        """`aim met`, `met` or `MISSED`."""
        if self._reached(value, self.aim):
            return "aim met"
        return "met" if self._reached(value, self.must) else "MISSED"

    def _reached(self, value: float, bound: float) -> bool:
        return value >= bound if self.more_is_better else value <= bound

    def text(self, value: float) -> str:
        """A value in this goal's unit."""
        return f"{value:.3g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Without pairs it was skipped, and the note says why."""

    what: str
    floor: str
    goal: Goal
    pairs: tuple[Pair, ...]
    scale: Callable[[float], str]
    """How a floor or a figure of ours is written."""
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the rounds' readings."""
        return median(self.readings)

    @property
    def readings(self) -> list[float]:
        """One reading a round."""
        return [self.goal.reading(pair) for pair in self.pairs]

    @property
    def missed(self) -> bool:
        """Whether the row was measured and is worse than it must be."""
        return bool(self.pairs) and self.goal.verdict(self.value) == "MISSED"


def interleave(rounds: int, floor: Sample, ours: Sample) -> tuple[Pair, ...]:
    """Floor and ours in turn, so that a drift of the machine reaches both; a first round warms up and is dropped."""
    pairs = []
    for _ in range(rounds + 1):
        gc.collect()
        first = floor()
        gc.collect()
        pairs.append(Pair(first, ours()))
    return tuple(pairs[1:])


def typical_of(count: int, action: Callable[[], object]) -> float:
    """Seconds that `action` typically takes: the median of `count` calls."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return median(taken)


def in_time(seconds: float) -> str:
    """Seconds in the unit a person would choose."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def in_rate(per_second: float) -> str:
    """A rate, as whole numbers a second."""
    return f"{per_second:,.0f}/s"

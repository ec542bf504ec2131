"""The steps of two records side by side: which belongs to which, and where they first differ.

Children of a pair are aligned with each other, level by level, by name and kind in order (difflib's longest matching
blocks). So each step stands in exactly one pair, alone where the other record has none for it, and no more than the
children of one step are ever compared with each other at once.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from failtrace.contracts import Json, TraceStep

Answer = Literal["same", "differs", "left", "right"]

_MOST_ALIGNED: Final = 2_000
"""Children of one step up to which they are aligned as a whole; beyond that, they are paired in order of place."""
_ADDRESS: Final = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two steps that belong together, or one that stands alone."""

    left: TraceStep | None
    right: TraceStep | None
    depth: int
    answer: Answer
    differs_in: tuple[str, ...] = ()
    """Of name, status, ending, input, output and attributes."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """All pairs in reading order."""

    pairs: tuple[Pair, ...]

    @property
    def first_difference(self) -> int | None:
        """Where the first pair stands that is not the same; None where all are.

        A step that holds others differs because of what went on in it: so the deepest of the first branch is meant.
        """
        first = next((at for at, pair in enumerate(self.pairs) if pair.answer != "same"), None)
        while first is not None and first + 1 < len(self.pairs):
            inner = self._inside(first)
            if inner is None or self.pairs[first].answer != "differs":
                break
            first = inner
        return first

    def _inside(self, at: int) -> int | None:
        for below in range(at + 1, len(self.pairs)):
            if self.pairs[below].depth <= self.pairs[at].depth:
                return None
            if self.pairs[below].answer != "same":
                return below
        return None


def align(left: Sequence[TraceStep], right: Sequence[TraceStep]) -> Alignment:
    """Every step of both in one pair each. Ids, times and durations are never a difference."""
    ours, theirs = _children(left), _children(right)
    return Alignment(tuple(_aligned(ours, theirs)))


def in_words(pair: Pair) -> str:
    """What is the matter with a pair, for a heading; empty where nothing is."""
    if pair.answer == "left":
        return "only on the left"
    if pair.answer == "right":
        return "only on the right"
    return ("differs in " + ", ".join(pair.differs_in)) if pair.answer == "differs" else ""


def alike(left: Json, right: Json) -> bool:
    """Whether two values say the same: addresses of objects in texts are of no account, all else is."""
    return left == right or _plain(left) == _plain(right)


_Children = dict[str | None, list[TraceStep]]


def _children(steps: Sequence[TraceStep]) -> _Children:
    """By parent, in order of starting; a step whose parent is unknown, or is in a ring of parents, is a root."""
    known = {step.step_id: step for step in steps}
    found: _Children = defaultdict(list)
    for step in sorted(steps, key=lambda step: step.sequence):
        found[step.parent_id if step.parent_id in known else None].append(step)
    reached = set(_reached(found))
    for step in sorted(steps, key=lambda step: step.sequence):
        if step.step_id not in reached:
            siblings = found[step.parent_id]
            siblings.remove(step)
            found[None].append(step)
            reached.update(_below(found, step))
    return found


def _reached(children: _Children) -> Iterator[str]:
    for root in children[None]:
        yield from _below(children, root)


def _below(children: _Children, root: TraceStep) -> Iterator[str]:
    waiting = [root]
    while waiting:
        step = waiting.pop()
        yield step.step_id
        waiting += children.get(step.step_id, [])


def _aligned(ours: _Children, theirs: _Children) -> Iterator[Pair]:
    """Depth first, without recursion: an agent may nest deeper than Python's stack."""
    waiting = list(reversed(_matched(ours[None], theirs[None])))
    depths = [0] * len(waiting)
    while waiting:
        (left, right), depth = waiting.pop(), depths.pop()
        yield _pair(left, right, depth)
        below = _matched(
            ours.get(left.step_id, []) if left else [],
            theirs.get(right.step_id, []) if right else [],
        )
        waiting += reversed(below)
        depths += [depth + 1] * len(below)


_Couple = tuple[TraceStep | None, TraceStep | None]


def _matched(left: Sequence[TraceStep], right: Sequence[TraceStep]) -> list[_Couple]:
    """Children of one pair: matching runs of name and kind; what stands between two runs, one by one of equal kind."""
    if not left or not right:
        return [(step, None) for step in left] + [(None, step) for step in right]
    if max(len(left), len(right)) > _MOST_ALIGNED:
        return _in_order(left, right)
    matcher = SequenceMatcher(None, [_key(step) for step in left], [_key(step) for step in right], autojunk=False)
    found: list[_Couple] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found += zip(left[i1:i2], right[j1:j2], strict=True)
        else:
            found += _in_order(left[i1:i2], right[j1:j2])
    return found


def _in_order(left: Sequence[TraceStep], right: Sequence[TraceStep]) -> list[_Couple]:
    """By place as long as name and kind are the same, then each alone."""
    found: list[_Couple] = []
    common = min(len(left), len(right))
    for one, other in zip(left[:common], right[:common], strict=True):
        found += [(one, other)] if _key(one) == _key(other) else [(one, None), (None, other)]
    found += [(step, None) for step in left[common:]]
    found += [(None, step) for step in right[common:]]
    return found


def _key(step: TraceStep) -> tuple[str, str]:
    return step.name, str(step.kind)


def _pair(left: TraceStep | None, right: TraceStep | None, depth: int) -> Pair:
    if left is None or right is None:
        return Pair(left, right, depth, "right" if left is None else "left")
    checks = (
        ("status", left.status is right.status),
        ("ending", left.ended_by is right.ended_by),
        ("input", alike(left.input, right.input)),
        ("output", alike(left.output, right.output)),
        ("attributes", alike(left.attributes, right.attributes)),
        ("error", _error(left) == _error(right)),
    )
    wrong = tuple([name for name, same in checks if not same])
    return Pair(left, right, depth, "differs" if wrong else "same", wrong)


def _error(step: TraceStep) -> tuple[str, str] | None:
    return (step.error.type, _ADDRESS.sub("0x", step.error.message)) if step.error else None


def _plain(value: Json) -> str:
    return _ADDRESS.sub("0x", json.dumps(value, sort_keys=True))

"""What is different between two JSON values, path by path, and between two texts, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from typing import Final, Literal

from failtrace.contracts import Json

MOST_CHANGES: Final = 200
_MOST_LINES: Final = 3_000
"""Lines of each of two texts that are compared: difflib takes quadratic time in the worst case."""
_CONTEXT: Final = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `left` is None for what was added, `right` for what was removed."""

    path: str
    """As in JSONPath, `$.documents[2].title`; `$` is the value itself."""
    kind: Literal["changed", "added", "removed"]
    left: Json = None
    right: Json = None


def changes(left: Json, right: Json, most: int = MOST_CHANGES) -> tuple[Change, ...]:
    """The first differences in reading order, at most `most`. Equal values have none."""
    return tuple(islice(_changes("$", left, right), most))


def text_changes(left: str, right: str) -> str:
    """The lines that differ with a few around them, as `diff -u` shows them; empty for equal texts."""
    before, after = left.splitlines()[:_MOST_LINES], right.splitlines()[:_MOST_LINES]
    lines = unified_diff(before, after, "left", "right", n=_CONTEXT, lineterm="")
    return "\n".join(lines)


def _changes(path: str, left: Json, right: Json) -> Iterator[Change]:
    """Depth first, without recursion."""
    waiting: list[tuple[str, Json, Json, Literal["changed", "added", "removed"]]] = [(path, left, right, "changed")]
    while waiting:
        here, one, other, kind = waiting.pop()
        if kind != "changed":
            yield Change(here, kind, one, other)
        elif isinstance(one, dict) and isinstance(other, dict):
            waiting += reversed(list(_of_objects(here, one, other)))
        elif isinstance(one, list) and isinstance(other, list):
            waiting += reversed(list(_of_arrays(here, one, other)))
        elif type(one) is not type(other) or one != other:
            yield Change(here, "changed", one, other)


_Step = tuple[str, Json, Json, Literal["changed", "added", "removed"]]


def _of_objects(path: str, left: dict[str, Json], right: dict[str, Json]) -> Iterator[_Step]:
    for key in [*left, *[key for key in right if key not in left]]:
        here = f"{path}.{key}" if key.isidentifier() else f"{path}[{key!r}]"
        if key not in right:
            yield here, left[key], None, "removed"
        elif key not in left:
            yield here, None, right[key], "added"
        else:
            yield here, left[key], right[key], "changed"


def _of_arrays(path: str, left: list[Json], right: list[Json]) -> Iterator[_Step]:
    common = min(len(left), len(right))
    for at in range(common):
        yield f"{path}[{at}]", left[at], right[at], "changed"
    for at in range(common, len(left)):
        yield f"{path}[{at}]", left[at], None, "removed"
    for at in range(common, len(right)):
        yield f"{path}[{at}]", None, right[at], "added"

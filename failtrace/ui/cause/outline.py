"""A JSON value as text in which the places of some paths are known, abridged off those paths."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from failtrace.contracts import Json
from failtrace.ui.wording import plural

MOST_KEYS: Final = 8
MOST_ITEMS: Final = 3
"""Members of an object, and of a list, that are shown beside those on a path."""
MOST_LINES: Final = 1500
_SHORT: Final = 120
_LONGEST_PATH: Final = 1000
_INDENT: Final = "  "
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)

Span = tuple[int, int]


def outline(value: Json, paths: Iterable[str]) -> tuple[str, dict[str, Span]]:
    """The value as indented JSON, and where in it each path stands (start and end, in characters).

    Paths are those of a ContractViolation (`items[2].price`, `$`). One that leads to nothing stands where its nearest
    container begins. Off the paths values are in one line, and long ones cut.
    """
    drawn = _Outline(paths)
    drawn.draw(value, "", 0)
    return "".join(drawn.parts), drawn.found()


class _Outline:
    def __init__(self, paths: Iterable[str]) -> None:
        self._wanted = {path: "" if path == "$" else path for path in paths}
        self._ends = set(self._wanted.values())
        self._opened = self._ends | {prefix for path in self._ends for prefix in _prefixes(path)}
        self.parts: list[str] = []
        self._spans: dict[str, Span] = {}
        self._length = 0
        self._lines = 1

    def found(self) -> dict[str, Span]:
        """The span of every path, or of the beginning of the nearest container there is."""
        return {path: span for path, inner in self._wanted.items() if (span := self._nearest(inner))}

    def _nearest(self, path: str) -> Span | None:
        if path in self._spans:
            return self._spans[path]
        for prefix in sorted(_prefixes(path), key=len, reverse=True):
            if prefix in self._spans:
                start = self._spans[prefix][0]
                return start, start + 1
        return None

    def draw(self, value: Json, path: str, depth: int) -> None:
        start = self._length
        if path in self._opened and isinstance(value, dict | list) and value and self._lines < MOST_LINES:
            self._container(value, path, depth)
        else:
            self._write(one_line(value, _SHORT))
        self._spans[path] = (start, self._length)

    def _container(self, value: dict[str, Json] | list[Json], path: str, depth: int) -> None:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        self._write(opening)
        members = list(_members(value, path))
        shown = self._chosen([inner for _, inner, _ in members], MOST_KEYS if isinstance(value, dict) else MOST_ITEMS)
        left_out = 0
        for at, (label, inner, item) in enumerate(members):
            if at not in shown or self._lines >= MOST_LINES:
                left_out += 1
                continue
            left_out = self._left_out(left_out, depth)
            self._line(depth + 1)
            self._write(label)
            self.draw(item, inner, depth + 1)
            self._write("," if at < len(members) - 1 else "")
        self._left_out(left_out, depth)
        self._line(depth)
        self._write(closing)

    def _chosen(self, paths: Sequence[str], most: int) -> set[int]:
        """Which members are shown: those on a path, and the first of the others."""
        wanted = [at for at, path in enumerate(paths) if path in self._opened]
        beside = set(range(min(len(paths), len(wanted) + most))).difference(wanted)
        return {*wanted, *sorted(beside)[:most]}

    def _left_out(self, count: int, depth: int) -> int:
        if count:
            self._line(depth + 1)
            self._write(f"… {count:,} more")
        return 0

    def _line(self, depth: int) -> None:
        self._lines += 1
        self._write("\n" + _INDENT * depth)

    def _write(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)


def _members(value: dict[str, Json] | list[Json], path: str) -> Iterator[tuple[str, str, Json]]:
    """(what stands before it, its path, the member)."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield "", f"{path}[{at}]", item
    else:
        for key, item in value.items():
            yield f"{json.dumps(key, ensure_ascii=False)}: ", f"{path}.{key}" if path else key, item


def _prefixes(path: str) -> Iterator[str]:
    """Every shorter path that may contain this one: a key may hold dots and brackets of its own."""
    yield ""
    for at, character in enumerate(path[:_LONGEST_PATH]):
        if character in ".[" and at:
            yield path[:at]


def one_line(value: Json, most: int) -> str:
    """A value in one line of at most about so many characters: a container that needs more by its size."""
    if isinstance(value, str):
        shown = json.dumps(value[:most], ensure_ascii=False)
        return shown if len(value) <= most else f"{shown[:-1]}… ({len(value):,} characters)"
    line = ""
    for piece in _ENCODER.iterencode(value):
        line += piece
        if len(line) > most:
            break
    else:
        return line
    if isinstance(value, dict):
        return f"{{… {plural(len(value), 'key')}}}"
    return f"[… {plural(len(value), 'item')}]" if isinstance(value, list) else f"{line[:most]}…"

"""A text with marked stretches, each with a note beside it: the component and its data."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final, Literal

from failtrace.ui.components import component

MOST_TEXT: Final = 64_000
MOST_NOTES: Final = 100
_MOST_LINE: Final = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled line of a note."""

    label: str
    text: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of a stretch of the text; `start` and `end` are None where it stands nowhere in it."""

    start: int | None
    """Offset in characters (Python's), as `end`."""
    end: int | None
    title: str
    lines: tuple[Line, ...] = ()


_marked = component(
    "marked",
    '<div class="marked"><div class="words" tabindex="0" role="region"></div><ol class="notes"></ol></div>',
)


def marked_text(
    title: str, text: str, notes: Sequence[Note], *, key: str, kind: str = "", style: Literal["prose", "code"] = "prose"
) -> None:
    """Draw the text with its marks and the notes beside it, both bounded; `kind` is a failure type for the colour."""
    shown = notes[:MOST_NOTES]
    _marked(
        key=key,
        data={
            "title": title,
            "kind": kind,
            "style": style,
            "segments": [[words, list(marks)] for words, marks in segments(text[:MOST_TEXT], shown)],
            "notes": [_data(note) for note in shown],
            "more": max(0, len(notes) - MOST_NOTES),
            "cut": max(0, len(text) - MOST_TEXT),
        },
    )


def segments(text: str, notes: Sequence[Note]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The text in stretches, each with the numbers (from 0) of the notes that mark it; joined they are the text.

    Marks may overlap and reach beyond the text. In stretches, for JavaScript counts characters otherwise than Python.
    """
    spans = [
        (at, max(0, note.start), min(len(text), note.end))
        for at, note in enumerate(notes)
        if note.start is not None and note.end is not None
    ]
    edges = sorted({0, len(text), *(edge for _, start, end in spans if start < end for edge in (start, end))})
    for begin, stop in pairwise(edges):
        yield text[begin:stop], tuple(at for at, start, end in spans if start <= begin and stop <= end)


def _data(note: Note) -> dict[str, object]:
    lines = [asdict(Line(line.label, line.text[:_MOST_LINE], line.mono)) for line in note.lines]
    return {"title": note.title[:_MOST_LINE], "lines": lines}

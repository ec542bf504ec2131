"""The parts a cause is told in, and the component that draws them.

A block says its headline, the place in the code and a few facts at once; the rest of it is folded away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

from failtrace.analysis.frames import Frame
from failtrace.ui.components import component
from failtrace.ui.wording import size

MOST_TEXT: Final = 256 * 1024
"""Characters of a cause in all; the record holds the rest."""
MOST_LINE: Final = 4000
"""Characters of a headline or a sentence."""
MOST_FOLD: Final = 64 * 1024
MOST_BLOCKS: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A line of code, as the component shows it."""

    file: str
    line: int
    function: str
    source: str
    own: bool

    @classmethod
    def of(cls, frame: Frame | None) -> Self | None:
        """The place of a frame."""
        if frame is None:
            return None
        return cls(frame.file, frame.line, frame.function[:200], frame.source[:MOST_LINE], frame.own)


@dataclass(frozen=True, slots=True)
class Detail:
    """A labelled value; with `href` a link."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A longer text under its title, shown when asked for."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that went wrong, and what is behind it."""

    headline: str
    text: str = ""
    label: str = ""
    """How it hangs together with the block it stands in, e.g. `Caused by`."""
    place: Place | None = None
    details: tuple[Detail, ...] = ()
    folds: tuple[Fold, ...] = ()
    blocks: tuple["Block", ...] = ()
    open: bool = True
    """Whether a block inside another is shown unfolded."""


_cause = component("cause", '<section class="cause" aria-label="Cause"></section>')


def show_blocks(title: str, blocks: Sequence[Block], *, key: str, kind: str = "") -> None:
    """Draw them under a title, both bounded; `kind` is the failure type that gives the edge its colour."""
    shown = [asdict(block) for block in _Bounded().of(blocks)]
    _cause(key=key, data={"title": title, "kind": kind, "blocks": shown})


class _Bounded:
    """Blocks within one budget: what goes beyond is said to be in the record."""

    def __init__(self) -> None:
        self._blocks = MOST_BLOCKS
        self._text = MOST_TEXT

    def of(self, blocks: Sequence[Block]) -> Iterator[Block]:
        for at, block in enumerate(blocks):
            if self._blocks <= 0 or self._text <= 0:
                yield Block(f"{len(blocks) - at} more, in the whole record below")
                return
            self._blocks -= 1
            yield replace(
                block,
                headline=self._cut(block.headline, MOST_LINE),
                text=self._cut(block.text, MOST_LINE),
                folds=tuple([Fold(fold.title, self._cut(fold.text, MOST_FOLD)) for fold in block.folds]),
                blocks=tuple(self.of(block.blocks)),
            )

    def _cut(self, text: str, most: int) -> str:
        kept = text[: max(0, min(most, self._text))]
        self._text -= len(kept)
        return kept if len(kept) == len(text) else f"{kept}… ({size(len(text.encode()))} in all)"

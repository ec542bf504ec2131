"""An exception: its type and message, the line of the user's own code, then what is behind it and inside it."""

from failtrace.analysis.frames import frames_of, place_of
from failtrace.contracts import ErrorInfo
from failtrace.ui.cause.block import Block, Fold, Place
from failtrace.ui.wording import plural

_LABELS = {"raised": "", "cause": "Caused by", "context": "Raised while handling", "member": "In the group"}
_UNFOLDED = 2


def error_block(error: ErrorInfo) -> Block:
    """The block of an exception with all that hangs on it; the first members of a group are unfolded."""
    members = [_inner(member, unfolded=at < _UNFOLDED) for at, member in enumerate(error.exceptions)]
    causes = [_inner(cause, unfolded=False) for cause in error.causes]
    name, module = error.type.rpartition(".")[::-2]
    return Block(
        headline=name or module,
        text=error.message,
        place=Place.of(place_of(error.stacktrace)),
        folds=tuple(_folds(error)),
        blocks=(*members, *causes),
    )


def _inner(error: ErrorInfo, *, unfolded: bool) -> Block:
    block = error_block(error)
    return Block(
        block.headline,
        block.text,
        label=_LABELS[error.relation],
        place=block.place,
        folds=block.folds,
        blocks=block.blocks,
        open=unfolded,
    )


def _folds(error: ErrorInfo) -> list[Fold]:
    folds = []
    if error.notes:
        folds.append(Fold(plural(len(error.notes), "note"), "\n".join(error.notes)))
    if error.stacktrace.strip():
        frames = frames_of(error.stacktrace)
        foreign = sum(not frame.own for frame in frames)
        of_others = f", {foreign:,} of libraries" if foreign else ""
        title = f"Whole stack · {plural(len(frames), 'frame')}{of_others}" if frames else "Whole stack"
        folds.append(Fold(title, f"{error.stacktrace.rstrip()}\n{error.type}: {error.message}"))
    return folds

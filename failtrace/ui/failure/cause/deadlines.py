"""A deadline that passed: limit, elapsed time, and where everything stood, the user's own code first."""

from failtrace.analysis.frames import stacks_of
from failtrace.contracts import DeadlineExceeded
from failtrace.ui.failure.cause.block import Block, Detail, Fold, Place
from failtrace.ui.wording import duration, plural


def deadline_block(late: DeadlineExceeded, details: tuple[Detail, ...] = (), *, enforced: bool = True) -> Block:
    """The block of a deadline; `details` say how the process was ended, where it was `enforced`."""
    stacks = stacks_of(late.stacks)
    place = next((stack.place for stack in stacks if stack.place), None)
    times = (
        Detail("Limit", duration(late.limit_s * 1000)),
        Detail("Elapsed", duration(late.elapsed_s * 1000)),
    )
    folds = [Fold(f"{stack.name} · {plural(len(stack.frames), 'frame')}", stack.text) for stack in stacks]
    if late.stacks.strip() and not folds:
        folds = [Fold("The stacks, as they were taken", late.stacks)]
    return Block(
        headline="It was still at work when its time was up" if enforced else "It ended after its limit",
        text=_where(late, place is not None) if enforced else "Nothing was ended.",
        place=Place.of(place or next((stack.frames[0] for stack in stacks), None)),
        details=(*times, *details),
        folds=tuple(folds),
    )


def _where(late: DeadlineExceeded, in_own_code: bool) -> str:
    if not late.stacks.strip():
        return "Where it stood could not be taken."
    return "It stood here:" if in_own_code else "It stood outside your own code:"

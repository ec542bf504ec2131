"""An output that breaks its contract: the offending values marked in it, each with its path and rule beside."""

from collections.abc import Iterator, Sequence

from failtrace.contracts import ContractViolation, FailureEvent, Json
from failtrace.ui.cause.outline import one_line, outline
from failtrace.ui.marked_text import Line, Note, marked_text
from failtrace.ui.wording import plural

_MOST_VALUE = 500


def show_violations(violations: Sequence[ContractViolation], output: Json, failure: FailureEvent) -> None:
    """The output, abridged where nothing is wrong, with what breaks the contract marked."""
    text, spans = outline(output, [violation.location for violation in violations])
    marked_text(
        f"{plural(len(violations), 'place')} where the output breaks its contract",
        text,
        [_note(violation, spans.get(violation.location)) for violation in violations],
        key="violations",
        kind=failure.failure_type,
        style="code",
    )


def _note(violation: ContractViolation, span: tuple[int, int] | None) -> Note:
    start, end = span or (None, None)
    return Note(start, end, violation.message, tuple(_lines(violation)))


def _lines(violation: ContractViolation) -> Iterator[Line]:
    yield Line("Path", violation.location, mono=True)
    yield Line("Rule", violation.rule, mono=True)
    if violation.rule not in ("missing", "required"):
        yield Line("Value", one_line(violation.value, _MOST_VALUE), mono=True)

"""Journal lines to steps: spans flattened, every one closed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from failtrace.capture.markers import mark
from failtrace.capture.value_limits import MAX_DEPTH, MAX_EXACT_INT
from failtrace.contracts import (
    Dropped,
    EndedBy,
    ErrorInfo,
    Json,
    Outcome,
    Returned,
    StepEvent,
    StepKind,
    StepStatus,
    TimedOut,
    TraceStep,
)
from failtrace.contracts.outcome import Raised

_OPENINFERENCE = {
    "RETRIEVER": StepKind.RETRIEVAL,
    "RERANKER": StepKind.RETRIEVAL,
    **{kind.value.upper(): kind for kind in StepKind},
}
# https://opentelemetry.io/docs/specs/semconv/gen-ai/: gen_ai.operation.name
_GEN_AI = {
    "chat": StepKind.LLM,
    "generate_content": StepKind.LLM,
    "text_completion": StepKind.LLM,
    "embeddings": StepKind.EMBEDDING,
    "execute_tool": StepKind.TOOL,
    "create_agent": StepKind.AGENT,
    "invoke_agent": StepKind.AGENT,
    "invoke_workflow": StepKind.CHAIN,
    "retrieval": StepKind.RETRIEVAL,
}
_INPUTS = ("input.value", "gen_ai.input.messages", "gen_ai.tool.call.arguments", "gen_ai.prompt")
_OUTPUTS = ("output.value", "gen_ai.output.messages", "gen_ai.tool.call.result", "gen_ai.completion")
_ABSORBED = {"input.value", "input.mime_type", "output.value", "output.mime_type", "openinference.span.kind"}
_JSON = "application/json"
_MAX_LEVELS = MAX_DEPTH + 8
"""Nesting of a text that is read as JSON; the sanitiser's own, its markers included, stays below."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NANOSECOND = 253_402_300_799_999_999_999
"""The end of the year 9999."""


def nanoseconds(said: object) -> int:
    """A time since the epoch that a subject may have set itself: whatever it is, between the years 1970 and 9999."""
    if type(said) is not int:
        said = int(said) if type(said) is float and math.isfinite(said) else 0
    return min(max(said, 0), _LAST_NANOSECOND)


def moment(said: object) -> datetime:
    """Nanoseconds since the epoch as a UTC datetime; a time outside of 1970 to 9999 as the nearest inside."""
    return _EPOCH + timedelta(microseconds=nanoseconds(said) // 1000)


def step_kind(attributes: Mapping[str, Any]) -> StepKind:
    """What kind of step the attributes speak of; `step` where they do not say."""
    openinference = str(attributes.get("openinference.span.kind", "")).upper()
    gen_ai = str(attributes.get("gen_ai.operation.name", ""))
    return _OPENINFERENCE.get(openinference) or _GEN_AI.get(gen_ai) or StepKind.STEP


class StepLines:
    """The start and end lines of one execution, matched by span id."""

    def __init__(self, lines: tuple[dict[str, Any], ...]) -> None:
        self._starts = _by_id(lines, "start")
        self._ends = _by_id(lines, "end")

    @property
    def started(self) -> int:
        """How many steps have a start line."""
        return len(self._starts)

    def last_open(self, at: int) -> str | None:
        """The step that started last of those still open at `at` (nanoseconds)."""
        opened = [
            step_id
            for step_id, start in self._starts.items()
            if start["t"] <= at and (step_id not in self._ends or self._ends[step_id]["t"] >= at)
        ]
        return opened[-1] if opened else None

    def left_by(self, message: str) -> str | None:
        """The innermost of the steps that an exception of this message left last, as other libraries note it."""
        failed = [
            step_id
            for step_id, end in self._ends.items()
            if step_id in self._starts
            and any(e["n"] == "exception" and e["a"].get("exception.message") == message for e in end.get("ev", ()))
        ]
        chosen: str | None = None
        while True:
            below = [step_id for step_id in failed if self._parent(step_id) == chosen]
            if not below:
                return chosen
            chosen = below[-1]

    def _parent(self, step_id: str) -> str | None:
        parent = self._starts[step_id]["p"]
        return parent if parent in self._starts else None

    def build(self, outcome: Outcome, ended_at: int, deadline_at: int | None) -> tuple[TraceStep, ...]:
        """Every step, in the order of starting; one that never ended is closed at `ended_at` and says why.

        `deadline_at` is None unless a deadline ended the execution: what ended from then on was ended by it.
        """
        unfinished = _unfinished(outcome)
        return tuple(
            self._step(sequence, step_id, unfinished, ended_at, deadline_at)
            for sequence, step_id in enumerate(self._starts)
        )

    def _step(
        self, sequence: int, step_id: str, unfinished: EndedBy, ended_at: int, deadline_at: int | None
    ) -> TraceStep:
        start, end = self._starts[step_id], self._ends.get(step_id)
        ended_by = EndedBy.ITSELF if end is not None else unfinished
        if end is not None and deadline_at is not None and end["t"] >= deadline_at:
            ended_by = EndedBy.TIMEOUT
        attributes = {**start["a"], **(end["a"] if end else {})}
        events = tuple(_event(event) for event in (end or {}).get("ev", ()))
        dropped = (end or {}).get("d", (0, 0, 0))
        return TraceStep(
            step_id=step_id,
            parent_id=self._parent(step_id),
            sequence=sequence,
            name=start["n"],
            kind=step_kind(attributes),
            started_at=moment(start["t"]),
            duration_ms=max(0, (end["t"] if end else ended_at) - start["t"]) / 1e6,
            status=StepStatus(end["s"]) if end else StepStatus.UNSET,
            ended_by=ended_by,
            input=_payload(attributes, _INPUTS),
            output=_payload(attributes, _OUTPUTS),
            attributes={key: value for key, value in attributes.items() if key not in _ABSORBED},
            events=tuple(event for event in events if event.name != "exception"),
            error=_step_error(events, end),
            dropped=Dropped(attributes=dropped[0], events=dropped[1], links=dropped[2]),
        )


def _by_id(lines: tuple[dict[str, Any], ...], kind: str) -> dict[str, dict[str, Any]]:
    return {line["id"]: {**line, "t": nanoseconds(line["t"])} for line in lines if line["k"] == kind}


def _unfinished(outcome: Outcome) -> EndedBy:
    if isinstance(outcome, TimedOut):
        return EndedBy.TIMEOUT if outcome.enforced else EndedBy.PARENT_ENDED
    return EndedBy.PARENT_ENDED if isinstance(outcome, Returned | Raised) else EndedBy.PROCESS_DEATH


def _event(event: dict[str, Any]) -> StepEvent:
    return StepEvent(name=event["n"], time=moment(event["t"]), attributes=event["a"])


def _payload(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return _parsed(value, attributes.get(f"{name.removesuffix('.value')}.mime_type"))
    return None


def _parsed(value: Any, mime_type: Any) -> Json:
    """A JSON text as what it says; any other text as it is.

    Nothing may come of it that the sanitiser would not let pass: what a subject wrote as JSON gets the markers of
    numbers that are not finite or not exact, and stays a text where it nests too deep or holds lone surrogates.
    """
    if not isinstance(value, str) or not _says_json(value, mime_type):
        return value  # type: ignore[no-any-return]
    try:
        parsed = json.loads(value, parse_constant=_number, parse_float=_number, parse_int=_integer)
        if "\\u" in value:
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return value
    return value if _is_deep(parsed) else parsed


def _says_json(text: str, mime_type: Any) -> bool:
    return mime_type == _JSON or (mime_type is None and text[:64].lstrip()[:1] in ("{", "[", '"'))


def _number(text: str) -> Json:
    number = float(text)
    return number if math.isfinite(number) else mark("float", value=repr(number))


def _integer(text: str) -> Json:
    return number if len(text) <= _DIGITS and abs(number := int(text)) <= MAX_EXACT_INT else mark("int", value=text)


_DIGITS = len(str(-MAX_EXACT_INT))


def _is_deep(parsed: Any) -> bool:
    """Whether a value nests deeper than any that the sanitiser gives."""
    level, depth = [parsed], 0
    while level and depth <= _MAX_LEVELS:
        containers = (item.values() if type(item) is dict else item for item in level if type(item) in (dict, list))
        level, depth = [inner for items in containers for inner in items if type(inner) in (dict, list)], depth + 1
    return depth > _MAX_LEVELS


def _step_error(events: tuple[StepEvent, ...], end: dict[str, Any] | None) -> ErrorInfo | None:
    """The last exception event of a step; a failed step without one still has its status message."""
    raised = next((event for event in reversed(events) if event.name == "exception"), None)
    if raised is not None:
        kind, message, stacktrace = (
            str(raised.attributes.get(f"exception.{key}", "")) for key in ("type", "message", "stacktrace")
        )
        return ErrorInfo(type=kind, message=message, stacktrace=stacktrace)
    if end is not None and end["s"] == "error":
        return ErrorInfo(type="error", message=end.get("m", ""), stacktrace="")
    return None

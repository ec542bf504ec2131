"""`failtrace.step`: one step of an execution, as an OpenTelemetry span."""

from __future__ import annotations

from contextvars import Token
from types import TracebackType
from typing import Any, Literal, Self

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode, set_span_in_context
from pydantic_core import to_json

from failtrace.capture.capture import CURRENT
from failtrace.capture.exceptions import describe_exception, isinstance_safe
from failtrace.capture.sanitiser import CleanText, Marks, sanitise
from failtrace.capture.tracing import tracer
from failtrace.capture.watch_faults import FAULTS

Kind = Literal["agent", "llm", "tool", "retrieval", "embedding", "chain", "evaluator", "guardrail", "step"]

# OpenInference's names, which other tools read as well.
_SPAN_KIND = {
    "agent": CleanText("AGENT"),
    "llm": CleanText("LLM"),
    "tool": CleanText("TOOL"),
    "retrieval": CleanText("RETRIEVER"),
    "embedding": CleanText("EMBEDDING"),
    "chain": CleanText("CHAIN"),
    "evaluator": CleanText("EVALUATOR"),
    "guardrail": CleanText("GUARDRAIL"),
}
_JSON = CleanText("application/json")
_UNSET: Any = object()


class step:  # noqa: N801  a context manager, named like one
    """Record a step: `with step("search", kind="retrieval", query=q) as s: s.output = hits`.

    Further keywords are the step's input, as a dict; `input=` gives a whole value instead. Any value may be given.
    An exception that leaves the step marks it failed and goes on its way.
    """

    __slots__ = ("_attributes", "_input", "_name", "_span", "_token", "output")

    def __init__(
        self,
        name: str,
        *,
        kind: Kind = "step",
        input: Any = _UNSET,  # noqa: A002  the field's name in the contract
        attributes: dict[str, Any] | None = None,
        **inputs: Any,
    ) -> None:
        self._name = name
        self._attributes: dict[str, Any] = dict(attributes) if attributes else {}
        if kind in _SPAN_KIND:
            self._attributes["openinference.span.kind"] = _SPAN_KIND[kind]
        self._input = inputs if input is _UNSET and inputs else input
        self.output: Any = _UNSET
        """The step's result; set it inside the block."""

    # Whatever breaks in telling of a step, the code in it runs as it would: here and below, not by `with FAULTS`, which
    # costs where nothing happens.

    def set_attribute(self, key: str, value: Any) -> None:
        """Add an attribute of the step, inside the block."""
        try:
            self._span.set_attribute(key, value if isinstance(value, str | bool | int | float) else self._clean(value))
        except BaseException as fault:  # noqa: BLE001
            FAULTS.take(fault)

    def __enter__(self) -> Self:
        try:
            if self._input is not _UNSET:
                self._attributes |= self._payload("input", self._input)
        except BaseException as fault:  # noqa: BLE001
            FAULTS.take(fault)
        try:
            self._span: Span = tracer().start_span(self._name, attributes=self._attributes)
        except BaseException as fault:  # noqa: BLE001
            FAULTS.take(fault)
            self._span = INVALID_SPAN
        self._token: Token[Context] = otel_context.attach(set_span_in_context(self._span))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if self.output is not _UNSET:
                self._span.set_attributes(self._payload("output", self.output))
            if error is not None and not isinstance_safe(error, GeneratorExit):
                self._fail(error)
        except BaseException as fault:  # noqa: BLE001
            FAULTS.take(fault)
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._span.end()
        except BaseException as fault:  # noqa: BLE001
            FAULTS.take(fault)
        finally:
            otel_context.detach(self._token)

    def _fail(self, error: BaseException) -> None:
        capture = CURRENT.get()
        described = describe_exception(error, capture.marks if capture else Marks())
        self._span.add_event(
            "exception",
            {
                "exception.type": described["type"],
                "exception.message": CleanText(described["message"]),
                "exception.stacktrace": CleanText(described["stacktrace"]),
            },
        )
        self._span.set_status(Status(StatusCode.ERROR, described["message"]))
        if capture is not None:
            capture.exception_left(error, f"{self._span.get_span_context().span_id:016x}")

    def _payload(self, side: str, value: Any) -> dict[str, Any]:
        """A value as OpenInference's attributes. Every value is written as JSON; an object or array says so."""
        text = self._clean(value)
        is_text = type(value) is str
        return {f"{side}.value": text} if is_text else {f"{side}.value": text, f"{side}.mime_type": _JSON}

    @staticmethod
    def _clean(value: Any) -> CleanText:
        """The value as JSON text, sanitised here so that the processor need not parse it again."""
        capture = CURRENT.get()
        return CleanText(to_json(sanitise(value, capture.marks if capture else Marks())), "utf-8")

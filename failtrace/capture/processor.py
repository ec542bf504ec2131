"""failtrace's SpanProcessor: hands every span of an execution to its capture, at its start and at its end."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from failtrace.capture.capture import CURRENT, Capture


class CaptureProcessor(SpanProcessor):
    """Routes spans by trace id, since a span may end in another thread than it started in."""

    def __init__(self) -> None:
        self._captures: dict[int, Capture] = {}
        self._process_capture: Capture | None = None

    def attach(self, trace_id: str, capture: Capture) -> None:
        """Send the spans of this trace to `capture`."""
        self._captures[int(trace_id, 16)] = capture

    def attach_process(self, capture: Capture) -> None:
        """Send every span to `capture`: the process runs this one execution, whatever traces it opens."""
        self._process_capture = capture

    def detach(self, trace_id: str) -> None:
        """Stop sending the spans of this trace anywhere."""
        self._captures.pop(int(trace_id, 16), None)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002  the SDK's
        """Journal the start."""
        capture = self._process_capture or self._captures.get(span.context.trace_id) or CURRENT.get()
        if capture is not None:
            capture.step_started(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Journal the end."""
        context = span.context
        capture = self._process_capture or (self._captures.get(context.trace_id) if context else None) or CURRENT.get()
        if capture is not None:
            capture.step_ended(span)

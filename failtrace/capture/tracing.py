"""Which tracer provider the steps of an execution go through."""

# First of all: a provider's fork handler submits to a pool of threads, whose own handler must have been registered
# before it. Else it waits in every forked child for a lock that is only made anew after it.
import concurrent.futures.thread  # noqa: F401
import threading

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from failtrace.capture.interrupts import came_from_outside
from failtrace.capture.processor import CaptureProcessor

PROCESSOR = CaptureProcessor()
"""The process's one processor; it does nothing until a capture is attached."""

_lock = threading.Lock()
_joined: list[TracerProvider] = []


def _join(provider: TracerProvider) -> TracerProvider:
    with _lock:
        if not any(known is provider for known in _joined):
            provider.add_span_processor(PROCESSOR)
            _joined.append(provider)
    return provider


def _own_provider() -> TracerProvider:
    return TracerProvider(sampler=ALWAYS_ON, resource=Resource({"service.name": "failtrace"}), shutdown_on_exit=False)


def take_process() -> None:
    """Make sure that every span of this process reaches PROCESSOR. Only for a process that is ours.

    A provider that the subject's module has already configured keeps its place and gets our processor.
    """
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = _own_provider()
        trace.set_tracer_provider(provider)
    _join(provider)


def tracer() -> Tracer:
    """The tracer for `failtrace.step`: the application's own provider where it has one, else a private one.

    The global provider of a host is never set: the host may still want to.
    """
    provider = trace.get_tracer_provider()
    known = _tracers.get(id(provider))
    if known is not None and known[0] is provider:
        return known[1]
    ours = provider if isinstance(provider, TracerProvider) else _private_provider()
    try:
        made = _join(ours).get_tracer("failtrace")
    # A provider of the application's own make that takes no processor: its steps are ours alone.
    except Exception as error:
        if came_from_outside(error):
            raise
        made = _join(_private_provider()).get_tracer("failtrace")
    _tracers[id(provider)] = (provider, made)
    return made


def join_global() -> None:
    """The application's global provider, whenever it is set, gets our processor."""
    global _last
    # Not `get_tracer_provider`, which looks into the environment each time: 0.9 us, at every watched call.
    provider = getattr(trace, "_TRACER_PROVIDER", trace)
    if provider is not _last or provider is trace:
        tracer()
        _last = provider


_last: object = object()
"""The global provider at the last look."""
_tracers: dict[int, tuple[trace.TracerProvider, Tracer]] = {}
"""Making a tracer costs more than a step; a process has one provider, or a few in tests."""
_private: list[TracerProvider] = []


def _private_provider() -> TracerProvider:
    if not _private:
        with _lock:
            if not _private:
                _private.append(_own_provider())
    return _private[0]


def remote_parent(trace_id: str, span_id: int) -> NonRecordingSpan:
    """A parent that is no step itself, so that the first steps take the execution's trace id."""
    return NonRecordingSpan(
        SpanContext(int(trace_id, 16), span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    )

"""`watch`: failures of a host's own functions, recorded aside.

The host sees its function as it was: same result, same exception object, same kind of function. What is recorded is
written by a thread of failtrace's; a call that passes leaves nothing. (The module is not called `watch`, for importing
it would put itself in the place of the function of that name.)
"""

from __future__ import annotations

import functools
import inspect
import random
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import uuid6
from opentelemetry import trace

from failtrace.capture.capture import CURRENT, Capture
from failtrace.capture.journal import MemoryJournal
from failtrace.capture.tracing import tracer
from failtrace.execution.header import open_line
from failtrace.execution.outcome import gather_evidence, raised_line, returned_line
from failtrace.execution.request import ExecutionRequest
from failtrace.guard import GUARD
from failtrace.recorder import recorder
from failtrace.subjects.subject import EvidenceSource, Subject, source_of

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def watch(function: Function, /) -> Function: ...


@overload
def watch(
    *,
    name: str | None = None,
    output_model: Any = None,
    evidence: EvidenceSource | None = None,
    timeout: float | None = None,
) -> Callable[[Function], Function]: ...


def watch(function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """Record the failures of a function, sync or async, generator or not, without touching what it does.

    A failure is an Exception that leaves it, an output that breaks `output_model`, a claim that `evidence` does not
    hold, or a call that took longer than `timeout` seconds (which is noticed, never enforced). The input in the record
    is `{"args": …, "kwargs": …}` as it is when the call has ended. Failures go to `TraceStore.open()`.
    """
    if function is None:
        return lambda decorated: watch(decorated, name=name, **options)  # type: ignore[call-overload]
    source = source_of(function)
    subject = Subject(name=name or source, function=function, source=source, **options)
    return functools.update_wrapper(_wrapper(subject, function), function)


def _wrapper(subject: Subject, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind."""
    if inspect.isasyncgenfunction(function):
        return lambda *args, **kwargs: _async_chunks(_Call(subject, args, kwargs), function(*args, **kwargs))
    if inspect.isgeneratorfunction(function):
        return lambda *args, **kwargs: _chunks(_Call(subject, args, kwargs), function(*args, **kwargs))
    if inspect.iscoroutinefunction(function):

        async def watched_async(*args: Any, **kwargs: Any) -> Any:
            with _Call(subject, args, kwargs) as call:
                call.result = await function(*args, **kwargs)
            return call.result

        return watched_async

    def watched(*args: Any, **kwargs: Any) -> Any:
        with _Call(subject, args, kwargs) as call:
            call.result = function(*args, **kwargs)
        return call.result

    return watched


class _Call:
    """One call of a watched function; as a context manager the whole of it, by `running` a part."""

    __slots__ = ("_args", "_kwargs", "_start", "_started_at", "_subject", "_token", "capture", "result")

    def __init__(self, subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._subject, self._args, self._kwargs = subject, args, kwargs
        self._start, self._started_at = time.monotonic(), time.time_ns()
        self.capture = Capture(MemoryJournal())
        self.result: Any = None
        with GUARD:
            tracer()  # the host's provider, whenever it was set, gets our processor

    def __enter__(self) -> _Call:
        self._token = CURRENT.set(self.capture)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _tb: object) -> None:
        CURRENT.reset(self._token)
        self.ended(error)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a part of the call runs: a generator between two of its yields."""
        token = CURRENT.set(self.capture)
        try:
            yield
        finally:
            CURRENT.reset(token)

    def ended(self, error: BaseException | None) -> None:
        """Hand the call over if there is something to judge. Interrupts and cancellations are the host's own affair."""
        subject = self._subject
        elapsed_ms = (time.monotonic() - self._start) * 1000
        late = subject.timeout is not None and elapsed_ms > subject.timeout * 1000
        judged = subject.output_model is not None or subject.evidence is not None
        if (error is None and not late and not judged) or (error is not None and not isinstance(error, Exception)):
            return
        with GUARD:
            self._hand_over(error, elapsed_ms, late=late)

    def _hand_over(self, error: Exception | None, elapsed_ms: float, *, late: bool) -> None:
        capture, journal = self.capture, self.capture.journal
        value = {"args": list(self._args), "kwargs": self._kwargs}
        host = trace.get_current_span().get_span_context()
        request = ExecutionRequest(
            subject=self._subject,
            input=value,
            timeout=self._subject.timeout or 0.0,
            trace_id=f"{random.getrandbits(128) | 1:032x}",
            failure_id=str(uuid6.uuid7()),
            run_id=None,
            attributes={"host.trace_id": f"{host.trace_id:032x}"} if host.is_valid else {},
            journal=Path(),
        )
        journal.write(open_line(request, "inline"))
        journal.write({"k": "begin", "t": self._started_at})
        if error is not None:
            line = raised_line(capture, error, elapsed_ms)
        else:
            evidence = gather_evidence(capture, self._subject, value, interruptible=True)
            line = returned_line(capture, self._subject, evidence, self.result, elapsed_ms, interruptible=True)
        journal.write({**line, "late": late})
        assert isinstance(journal, MemoryJournal)
        recorder().take(journal)


def _chunks(call: _Call, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The generator, driven as `yield from` does (PEP 380), each part of it inside the call."""
    chunks: list[Any] = []
    resume: Callable[[], Any] = functools.partial(next, inner)
    try:
        while True:
            try:
                with call.running():
                    chunk = resume()
            except StopIteration as stop:
                result = stop.value
                break
            chunks.append(chunk)
            try:
                resume = functools.partial(inner.send, (yield chunk))
            except GeneratorExit:
                inner.close()
                raise
            except BaseException:  # noqa: BLE001  thrown in by the host, and handed to its generator
                resume = functools.partial(inner.throw, sys.exception())
    except BaseException as error:
        call.ended(error)
        raise
    call.result = chunks
    call.ended(None)
    return result


async def _async_chunks(call: _Call, inner: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    """As `_chunks`, for an async generator."""
    chunks: list[Any] = []
    resume: Callable[[], Any] = functools.partial(anext, inner)
    try:
        while True:
            try:
                with call.running():
                    chunk = await resume()
            except StopAsyncIteration:
                break
            chunks.append(chunk)
            try:
                resume = functools.partial(inner.asend, (yield chunk))
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException:  # noqa: BLE001  thrown in by the host, and handed to its generator
                resume = functools.partial(inner.athrow, sys.exception())
    except BaseException as error:
        call.ended(error)
        raise
    call.result = chunks
    call.ended(None)

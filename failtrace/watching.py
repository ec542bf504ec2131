"""`watch`: failures of a host's own functions, recorded aside.

The host sees its function as it was: same result, same exception object, same kind of function, one frame more in a
traceback. What a call tells is kept in memory and in the watch journal, which survives `kill -9`; what is to be stored
is judged and written by a thread of failtrace's; a call that passes leaves nothing. (The module is not called `watch`:
its import would put it in the place of the function of that name.)
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from typing import Any, TypeVar, overload

from failtrace.capture.exceptions import isinstance_safe
from failtrace.capture.interrupts import as_thrown
from failtrace.capture.watch_status import FOLDER, WatchStatus, read_statuses
from failtrace.errors import SubjectError
from failtrace.execution.watched import Ended, Watched
from failtrace.execution.watched_call import WatchedCall
from failtrace.recorder import EXIT_LIMIT_S, recorder
from failtrace.settings import Settings
from failtrace.subjects.subject import EvidenceSource, Subject, source_of

__all__ = ["WatchStatus", "flush", "status", "watch", "watch_faults"]

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
    sample: float = 0.0,
    ignore: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> Callable[[Function], Function]: ...


def watch(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    sample: float = 0.0,
    ignore: type[BaseException] | tuple[type[BaseException], ...] = (),
    **options: Any,
) -> Any:
    """Record the failures of a function, sync or async, generator or not, without touching what it does.

    A failure is an Exception that leaves it (but for those of `ignore`), an output that breaks `output_model`, a claim
    that `evidence` does not hold, or a call that ran longer than `timeout` seconds (which is noticed, never enforced).
    Of the calls that pass, `sample` (0 to 1) is the share that is recorded too. The input in the record is
    `{"args": …, "kwargs": …}`, which is also what an `evidence` function gets. Records go to `TraceStore.open()`.

    Raises SubjectError for what is no function, and for an option that cannot be used.
    """
    if function is None:
        return functools.partial(_watch, name=name, sample=sample, ignore=ignore, options=options)
    return _watch(function, name=name, sample=sample, ignore=ignore, options=options)


def flush(timeout: float = EXIT_LIMIT_S) -> bool:
    """Wait until the failures so far are stored, `timeout` seconds at most; whether they are.

    The end of the program does this by itself; a program that is frozen between two calls has to ask for it.
    """
    return recorder().flush(timeout)


def status() -> WatchStatus:
    """What became of the calls of this process that were to be recorded."""
    return recorder().status()


def watch_faults(settings: Settings | None = None) -> tuple[WatchStatus, ...]:
    """Of every process of this home that had trouble within a week, how its watching stands or ended, newest first."""
    return read_statuses((settings or Settings.load()).home / FOLDER)


def _watch(function: Any, *, name: str | None, sample: float, ignore: Any, options: dict[str, Any]) -> Any:
    if isinstance(function, staticmethod | classmethod):
        inner = _watch(function.__func__, name=name, sample=sample, ignore=ignore, options=options)
        return type(function)(inner)
    if isinstance(function, type) or not callable(function):
        raise SubjectError(
            f"Cannot watch {function!r:.120}, a {type(function).__name__}; "
            "give a function or a method, beneath any other decorator."
        )
    if unknown := options.keys() - _OPTIONS:
        raise SubjectError(
            f"Cannot watch with {', '.join(sorted(unknown))}: watch enforces no limits; "
            f"give any of name, sample, ignore, {', '.join(sorted(_OPTIONS))}."
        )
    source = source_of(function)
    subject = Subject(name=name or source, function=function, source=source, **options)
    watched = Watched(subject, _share(sample, subject.name), _types(ignore, subject.name), _hand_over)
    return _as_told(_wrapper(watched, function), function)


_OPTIONS = frozenset({"output_model", "evidence", "timeout", "version"})
"""Beside its own; `watch` enforces nothing, so takes no limit of a subject's."""


def _as_told(wrapper: Any, function: Any) -> Any:
    """The wrapper with name, hints and signature of the function.

    `__signature__` is for `inspect.getfullargspec` (of celery, say), which does not follow `__wrapped__`. Not where
    annotations are texts: `inspect.signature(..., eval_str=True)` does not read those of a `__signature__`.
    """
    # A partial has none, and those of the wrapper are ours.
    wrapper.__annotations__ = {}
    functools.update_wrapper(wrapper, function)
    # Of a callable without a signature, or whose annotations cannot be had yet, nothing is told.
    with suppress(Exception):
        signature = inspect.signature(function)
        annotations = [signature.return_annotation, *(one.annotation for one in signature.parameters.values())]
        if not any(isinstance(one, str) for one in annotations):
            wrapper.__signature__ = signature
    return wrapper


def _share(sample: float, name: str) -> float:
    if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0 <= sample <= 1:
        raise SubjectError(f"The sample of {name!r} is {sample!r}; give the share of passing calls to keep, 0 to 1.")
    return float(sample)


def _types(ignore: Any, name: str) -> tuple[type[BaseException], ...]:
    types = ignore if isinstance(ignore, tuple) else (ignore,)
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in types):
        raise SubjectError(f"{name!r} cannot ignore {ignore!r:.120}; give an exception type, or a tuple of them.")
    return types


def _hand_over(ended: Ended) -> None:
    recorder().take(ended)


def _wrapper(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind. A callable object is of the kind that its `__call__` is."""
    innermost = function
    while isinstance(innermost, functools.partial):
        innermost = innermost.func
    innermost = getattr(innermost, "__func__", innermost)
    code: Any = innermost if hasattr(innermost, "__code__") else type(innermost).__call__
    if inspect.isasyncgenfunction(code):
        return _async_generator(watched, function)
    if inspect.isgeneratorfunction(code):
        if code.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE:
            return _awaited(watched, function)
        return _generator(watched, function)
    if inspect.iscoroutinefunction(code):
        return _coroutine(watched, function)
    return _plain(watched, function)


def _plain(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = WatchedCall(watched, args, kwargs)
        try:
            call.begin()
            result = function(*args, **kwargs)
            call.passed(result)
        except BaseException as error:
            call.failed(error)
            raise
        return result

    return wrapper


def _coroutine(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = WatchedCall(watched, args, kwargs)
        try:
            call.begin()
            result = await function(*args, **kwargs)
            call.passed(result)
        except BaseException as error:
            call.failed(error)
            raise
        return result

    return wrapper


def _awaited(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    """As `_coroutine`, for a generator that `types.coroutine` made awaitable."""

    @types.coroutine
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = WatchedCall(watched, args, kwargs)
        try:
            call.begin()
            result = yield from function(*args, **kwargs)
            call.passed(result)
        except BaseException as error:
            call.failed(error)
            raise
        return result

    return wrapper


def _generator(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    """Driven as `yield from` does (PEP 380), each part inside the call; no chunk is held while the host has it."""

    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = WatchedCall(watched, args, kwargs)
        try:
            call.begin()
            inner = function(*args, **kwargs)
            resume, value, closing = inner.send, None, False
            while True:
                call.resume()
                try:
                    chunks = [resume(value)]
                except StopIteration as stop:
                    result = stop.value
                    break
                finally:
                    value = None
                    call.pause()
                call.keep(chunks[0])
                try:
                    value = yield chunks.pop()
                    resume, closing = inner.send, False
                except BaseException as thrown:  # noqa: BLE001  thrown in by the host, for its own generator
                    resume, value, closing = inner.throw, as_thrown(thrown), isinstance_safe(thrown, GeneratorExit)
            call.exhausted(closing=closing)
        except BaseException as error:
            call.failed(error)
            raise
        return result

    return wrapper


def _unheard(inner: AsyncGenerator[Any, Any]) -> Callable[[Any], Any]:
    """Its `asend`, for the first chunk: the event loop hears of the wrapper alone, and does not close both at once."""

    def asend(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            return inner.asend(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return asend


def _async_generator(watched: Watched, function: Callable[..., Any]) -> Callable[..., Any]:
    """As `_generator`."""

    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = WatchedCall(watched, args, kwargs)
        try:
            call.begin()
            inner = function(*args, **kwargs)
            resume, value, closing = _unheard(inner), None, False
            while True:
                call.resume()
                try:
                    chunks = [await resume(value)]
                except StopAsyncIteration:
                    break
                finally:
                    value = None
                    call.pause()
                call.keep(chunks[0])
                try:
                    value = yield chunks.pop()
                    resume, closing = inner.asend, False
                except BaseException as thrown:  # noqa: BLE001  thrown in by the host, for its own generator
                    resume, value, closing = inner.athrow, as_thrown(thrown), isinstance_safe(thrown, GeneratorExit)
            call.exhausted(closing=closing)
        except BaseException as error:
            call.failed(error)
            raise

    return wrapper

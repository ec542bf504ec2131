"""Call a subject, whatever kind of callable it is, and give its whole result."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any


def call(function: Callable[..., Any], value: Any) -> Any:
    """What the function gives for this input; a function of no parameters is called without."""
    return function(value) if takes_input(function) else function()


def takes_input(function: Callable[..., Any]) -> bool:
    """False only for a callable that accepts no positional argument and can be called without one."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    return _binds(signature, None) or not _binds(signature)


def _binds(signature: inspect.Signature, *arguments: Any) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def is_async(result: Any) -> bool:
    """Whether a result still has to be awaited or iterated in an event loop."""
    return inspect.isasyncgen(result) or inspect.isawaitable(result)


def collect(result: Any) -> Any:
    """The chunks of a generator as a list; any other result as it is."""
    return list(result) if inspect.isgenerator(result) else result


async def settle(result: Awaitable[Any] | AsyncGenerator[Any, None]) -> Any:
    """The awaited result, or the chunks of an async generator as a list."""
    if inspect.isasyncgen(result):
        return [chunk async for chunk in result]
    settled = await result  # type: ignore[misc]
    return [chunk async for chunk in settled] if inspect.isasyncgen(settled) else collect(settled)


def task_stacks(loop: asyncio.AbstractEventLoop) -> str:
    """Where every task of the loop waits, as text."""
    parts = []
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        parts.append(f"Task {task.get_name()} (most recent call last):\n")
        parts.extend(
            f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}\n'
            for frame in _awaited_frames(task)
        )
    return "".join(parts)


def _awaited_frames(task: asyncio.Task[Any]) -> list[Any]:
    """The frames of a waiting task through all that it awaits; `Task.get_stack` gives only the outermost."""
    frames: list[Any] = []
    awaited: Any = task.get_coro()
    while awaited is not None and len(frames) < 100:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            frames.append(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return frames

"""contextvars into threads, so that a step opened in one hangs under the step that started it.

Only for a process that is ours: it changes `threading.Thread` and `ThreadPoolExecutor` for everybody in it.
Python copies the context into tasks and `asyncio.to_thread` by itself, into threads only from 3.14 on.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def carry_context_into_threads() -> None:
    """From now on a thread, and a call given to a thread pool, starts with a copy of its creator's context."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    def start_in_context(self: threading.Thread) -> None:
        context, run = contextvars.copy_context(), self.run
        self.run = lambda: context.run(run)  # type: ignore[method-assign]
        start(self)

    def submit_in_context(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        return submit(self, contextvars.copy_context().run, fn, *args, **kwargs)

    threading.Thread.start = start_in_context  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submit_in_context  # type: ignore[method-assign, assignment]

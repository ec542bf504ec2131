"""Subjects that never end by themselves, each stuck in another place."""

import asyncio
import itertools
import time

from failtrace.capture.step import step
from failtrace.subjects.decorator import subject

_TIMEOUT_S = 0.5


@subject(name="hang_in_sleep", version="1", timeout=_TIMEOUT_S, output_model=str, example_inputs=["hello"])
def hang_in_sleep(text: str) -> str:
    """Waits for a model that never answers."""
    with step("call the model", kind="llm", prompt=text):
        time.sleep(3600)
    return text


@subject(name="hang_in_busy_loop", version="1", timeout=_TIMEOUT_S, output_model=str, example_inputs=["hello"])
def hang_in_busy_loop(text: str) -> str:
    """Plans for ever."""
    with step("plan", kind="agent", goal=text):
        while text:
            pass
    return text


@subject(name="hang_in_c_code", version="1", timeout=_TIMEOUT_S, output_model=int, example_inputs=["hello"])
def hang_in_c_code(text: str) -> int:
    """Adds up an endless series inside C code that never lets go of the GIL."""
    with step("add up", kind="tool", text=text):
        return sum(itertools.repeat(0))


@subject(name="hang_in_await", version="1", timeout=_TIMEOUT_S, output_model=str, example_inputs=["hello"])
async def hang_in_await(text: str) -> str:
    """Awaits an answer that nobody will send."""
    with step("ask the other agent", kind="agent", text=text), step("await the answer", kind="tool"):
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await answer

"""What the benchmarks run in fresh processes: a function that does nothing, and functions that never end."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import time
from pathlib import Path

from failtrace import subject


@subject(name="benchmark: nothing")
def nothing(value: int) -> int:
    """Gives back what it got."""
    return value


def _tell(pipe: str) -> None:
    """Who hangs."""
    with Path(pipe).open("w", encoding="ascii") as told:
        told.write(str(os.getpid()))


@subject(name="benchmark: busy loop")
def busy_loop(pipe: str) -> None:
    """Python code that never ends."""
    _tell(pipe)
    while pipe:
        pass


@subject(name="benchmark: sleep")
def sleep(pipe: str) -> None:
    """A wait in the kernel."""
    _tell(pipe)
    time.sleep(3600)


@subject(name="benchmark: C call with the GIL")
def c_with_gil(pipe: str) -> None:
    """C code that lets no other thread run."""
    _tell(pipe)
    sum(itertools.repeat(0))


@subject(name="benchmark: C call without the GIL")
def c_without_gil(pipe: str) -> None:
    """C code beside which other threads run."""
    _tell(pipe)
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2**31 - 1)


@subject(name="benchmark: catastrophic regex")
def regex(pipe: str) -> None:
    """A pattern that backtracks for ever."""
    _tell(pipe)
    re.fullmatch("(a+)+", "a" * 60 + "b")


@subject(name="benchmark: await")
async def await_forever(pipe: str) -> None:
    """A coroutine that nobody wakes."""
    _tell(pipe)
    await asyncio.get_running_loop().create_future()


def run_await_forever(pipe: str) -> None:
    """The same outside failtrace."""
    asyncio.run(await_forever(pipe))

"""A host whose failtrace is broken in one way: does it notice? Run as a program: `faulty_host.py FAULT CALLS`.

Prints JSON: the results of all calls with and without `watch`, and the 99th percentile of what a call took more, in ms.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAULTS = ("none", "sanitiser", "detector", "evidence", "store", "segment", "full disk", "unwritable home")


def answer_of_host(fault: str, calls: int, folder: Path) -> dict[str, Any]:
    """What a host with this fault says, having run to its end."""
    with _home(fault, folder) as home:
        environment = {**os.environ, "FAILTRACE_HOME": str(home)}
        command = [sys.executable, __file__, fault, str(calls)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def _home(fault: str, folder: Path) -> Iterator[Path]:
    """A home below a file cannot be written by root either; a disk that is full from the start is one of no bytes."""
    home = folder / "home"
    if fault == "unwritable home":
        home.write_text("")
        yield home / "below a file"
    elif fault == "full disk":
        home.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home)]
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            if not mounted:
                # Every write is refused there too: no space is left on that device.
                home.rmdir()
                home.symlink_to("/dev/full")
            yield home
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", str(home)], check=True)
    else:
        yield home


def work(number: int) -> str:
    """Fails at every third input."""
    from failtrace import step

    with step("work", kind="tool", number=number):
        if number % 3 == 0:
            raise LookupError(f"no {number}")
    return f"done {number}"


def outcomes(function: Callable[[int], str], calls: int) -> tuple[list[str], list[float]]:
    """(what came of each call, what each took in seconds)."""
    told, took = [], []
    for number in range(calls):
        start = time.perf_counter()
        try:
            said = function(number)
        except LookupError as error:
            said = f"{type(error).__name__}: {error}"
        took.append(time.perf_counter() - start)
        told.append(said)
    return told, took


def hang(*_: Any, **__: Any) -> Any:
    """For longer than the program lives."""
    time.sleep(3600)


def break_failtrace(fault: str) -> None:
    """Injected, since none of these can be had otherwise."""
    from failtrace.capture import glance, step, watch_segment
    from failtrace.detection import assemble

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("injected")

    if fault == "sanitiser":
        glance._Reading.value = broken  # type: ignore[method-assign]
        glance._quick = broken
        step.sanitise = broken
    elif fault == "detector":
        assemble._Story.record = hang  # type: ignore[method-assign]
    elif fault == "store":
        silent = socket.create_server(("127.0.0.1", 0))
        silent_port = silent.getsockname()[1]
        # Accepts, and never says a word.
        os.environ |= {"COSMOS_ENDPOINT": f"http://127.0.0.1:{silent_port}", "COSMOS_KEY": "c2lsZW50IHNpbGVudCE="}
        silent.detach()
    elif fault == "segment":
        watch_segment.WatchSegment._put = broken  # type: ignore[method-assign]


def main() -> None:
    """See the module."""
    fault, calls = sys.argv[1], int(sys.argv[2])
    from failtrace import watch

    break_failtrace(fault)
    plain, alone = outcomes(work, calls)
    evidence = hang if fault == "evidence" else None
    watched, beside = outcomes(watch(name="work", evidence=evidence)(work), calls)
    more = sorted((mine - bare) * 1000 for mine, bare in zip(beside, alone, strict=True))
    sys.stdout.write(json.dumps({"same": plain == watched, "p99_ms": more[int(len(more) * 0.99)]}) + "\n")


if __name__ == "__main__":
    main()

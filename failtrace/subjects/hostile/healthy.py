"""The healthy subject that runs beside the hostile ones: it tells what it finds around itself."""

import os
import resource
import signal
import threading
from pathlib import Path

from failtrace.capture.step import step
from failtrace.subjects.subject import Subject


def look_around() -> dict[str, object]:
    """Everything that another execution could have changed; the same each time when none has."""
    with step("look around"):
        os.umask(umask := os.umask(0))
        return {
            "directory": str(Path.cwd()),
            "umask": umask,
            "environment": len(os.environ),
            "descriptors": open_descriptors(),
            "threads": threading.active_count(),
            "memory": resource.getrlimit(resource.RLIMIT_DATA),
            "processor": resource.getrlimit(resource.RLIMIT_CPU),
            "deaf": signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL,
        }


def open_descriptors() -> int:
    """How many of the first descriptors are open."""
    return sum(_is_open(fd) for fd in range(256))


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


HEALTHY = Subject(
    name="hostile: a healthy sibling", function=look_around, source=f"{__name__}:look_around", timeout=20.0
)

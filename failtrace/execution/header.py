"""The first line of a segment: who runs what on which input, written before anything runs."""

import os
import platform
import subprocess
import time
from functools import cache
from typing import Any

from failtrace.capture.journal import Segment
from failtrace.capture.redaction import keep_up
from failtrace.capture.sanitiser import Marks, sanitise, sanitise_attributes, sanitise_text
from failtrace.errors import ExecutionError
from failtrace.execution.limits import not_enforced
from failtrace.execution.request import ExecutionRequest, Isolation
from failtrace.subjects.limits import LIMITS, LIMITS_NOT_ENFORCED
from failtrace.subjects.subject import Subject
from failtrace.version import package_version


def open_segment(request: ExecutionRequest, isolation: Isolation) -> Segment:
    """A new segment with its `open` line. Raises ExecutionError where the journal cannot be written."""
    segment = Segment.create(request.journal, request.trace_id)
    if not segment.writer().write(open_line(request, isolation)):
        segment.discard()
        raise journal_is_full(request)
    return segment


def journal_is_full(request: ExecutionRequest) -> ExecutionError:
    """What to raise where the journal did not take a line without which there is no record."""
    return ExecutionError(
        f"Cannot record the execution of {request.subject.name!r}: the journal in {str(request.journal)!r} "
        "takes no more (is the disk full?); make room and run it again."
    )


def open_line(request: ExecutionRequest, isolation: Isolation) -> dict[str, Any]:
    """The `open` line: the input as it is now, sanitised."""
    keep_up()
    marks = Marks()
    subject = request.subject
    line: dict[str, Any] = {
        "k": "open",
        "trace_id": request.trace_id,
        "failure_id": request.failure_id,
        "run_id": request.run_id,
        "subject": {
            "name": sanitise_text(subject.name, marks, 256),
            "version": subject.version,
            "source": sanitise_text(subject.source, marks, 512),
        },
        "timeout": request.timeout,
        "limits": subject.limits,
        "input": sanitise(request.input, marks),
        "attributes": {
            **(sanitise_attributes(dict(request.attributes), marks) if request.attributes else {}),
            **_limits(subject, isolation),
        },
        "environment": {**host_environment(), "pid": os.getpid(), "isolation": isolation},
        "t": time.time_ns(),
    }
    line["marks"] = {"cut": marks.bytes_cut, "redacted": marks.values_redacted}
    return line


def _limits(subject: Subject, isolation: Isolation) -> dict[str, Any]:
    """The subject's limits as attributes of the record, and which of them nothing keeps; none where it has none."""
    limits = subject.limits
    unkept = not_enforced(limits, isolation)
    told: dict[str, Any] = {LIMITS: limits} if limits else {}
    return {**told, LIMITS_NOT_ENFORCED: unkept} if unkept else told


@cache
def host_environment() -> dict[str, Any]:
    """What is the same for every execution of this process. Asks git once."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no") if commit else None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "failtrace": package_version(),
        "git_commit": commit or None,
        "git_dirty": None if changed is None else changed != "",
    }


def _git(*arguments: str) -> str | None:
    """The answer of git about the working directory; None where there is no git, no repository or no patience."""
    try:
        done = subprocess.run(  # noqa: S603  fixed words, no shell
            ["git", *arguments],  # noqa: S607  git is found on PATH, as for any of its users
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

"""The host's own clock over an execution: its subject may have stopped the supervisor that was to end it."""

from __future__ import annotations

import os
import socket
import time

from failtrace.capture.journal import Segment
from failtrace.execution.protocol import LOAD_LIMIT_S, readable

GRACE_S = 0.8
"""What the supervisor has beyond each limit of its own, before it is taken to be stopped."""
LOOK_S = 0.1
"""How often the journal is looked at for the subject's beginning."""
LONGEST_WAIT_S = 3600.0
"""poll counts milliseconds in 32 bits."""


def answers_in_time(supervisor: socket.socket, segment: Segment, timeout: float) -> bool:
    """Whether the supervisor answers, or hangs up, by the time when it should have ended the subject."""
    # The subject's beginning stands in the journal, unless the disk is full: then nobody here knows of it.
    give_up = time.monotonic() + LOAD_LIMIT_S + timeout + GRACE_S
    looks, size = True, _size(segment)
    while not readable(supervisor, min(LOOK_S if looks else LONGEST_WAIT_S, max(0.0, give_up - time.monotonic()))):
        if time.monotonic() >= give_up:
            return False
        before, size = size, _size(segment)
        if looks and size != before and segment.read().first("begin") is not None:
            looks, give_up = False, time.monotonic() + timeout + GRACE_S
    return True


def tell_end(segment: Segment) -> None:
    """Write the `exit` line in place of a supervisor that could not: the subject was ended at its deadline."""
    segment.writer().write({"k": "exit", "t": time.time_ns(), "killed": "deadline", "stacks": "", "host_lost": False})


def _size(segment: Segment) -> int:
    return os.fstat(segment.fd).st_size

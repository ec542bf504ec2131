"""What an execution uses, held against its limits by its supervisor."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from failtrace.execution.family import alive_and_cpu_s, can_tell_families, descendants
from failtrace.subjects.limits import Breach, LimitName

LOOK_S = 0.02
"""How often processes are looked at; output is counted as it comes, memory and steps where they are taken."""
MOST_OF_A_LOOK = 10
"""A look at many processes takes its time: the next one waits this many times as long."""


class Usage:
    """The limits that are kept from outside of the subject's process: output, processor time, processes."""

    def __init__(self, limits: Mapping[LimitName, float]) -> None:
        self._output = limits.get("output_limit_bytes")
        self._cpu = limits.get("cpu_limit_s")
        self._processes = limits.get("process_limit")
        self._next_look = time.monotonic()
        self._cpu_before: float | None = None

    @property
    def patience(self) -> float | None:
        """Seconds until `breach` should be asked again, whether there was output or not; None where it need not be."""
        if not can_tell_families() or (self._cpu is None and self._processes is None):
            return None
        return max(0.0, self._next_look - time.monotonic())

    def subject_ended(self) -> None:
        """What its process takes from now on is failtrace's."""
        self._cpu = None

    def breach(self, written: int) -> Breach | None:
        """The first limit that is exceeded by now, if any; `written` is the bytes of stdout and stderr so far."""
        return self.too_much_output(written) or (self._look() if self.patience == 0 else None)

    def too_much_output(self, written: int) -> Breach | None:
        """The breach of the output limit, if it is one."""
        if self._output is None or written <= self._output:
            return None
        return Breach("output_limit_bytes", self._output, written)

    def killed_by_kernel(self, cpu_s: float) -> Breach | None:
        """What a SIGXCPU that ended the process stands for."""
        return None if self._cpu is None else Breach("cpu_limit_s", self._cpu, cpu_s)

    def _look(self) -> Breach | None:
        began = time.monotonic()
        alive, cpu_s = alive_and_cpu_s(descendants(os.getpid()))
        now = time.monotonic()
        self._next_look = now + max(LOOK_S, MOST_OF_A_LOOK * (now - began))
        if self._cpu_before is None:
            self._cpu_before = cpu_s
        if self._processes is not None and alive > self._processes:
            return Breach("process_limit", self._processes, alive)
        if self._cpu is not None and cpu_s - self._cpu_before > self._cpu:
            return Breach("cpu_limit_s", self._cpu, cpu_s - self._cpu_before)
        return None

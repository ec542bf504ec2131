"""What a subject may use of the machine it runs on, and what is said where it used more."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from failtrace.errors import SubjectError

LimitName = Literal["memory_limit_bytes", "cpu_limit_s", "output_limit_bytes", "step_limit", "process_limit"]

MOST = 1 << 50
"""Of every limit: what a process has besides is added to it, and the kernel counts in 64 bits."""
LIMITS = "failtrace.limits"
LIMITS_NOT_ENFORCED = "failtrace.limits_not_enforced"
LIMIT_MET = "failtrace.limit_met"
"""Attributes of a record: the subject's limits, those that nothing kept, and the one that was met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A subject's limits beside its timeout; None is no limit. See docs/limits.md for how each is kept."""

    memory_limit_bytes: int | None = None
    """How much private memory each of its processes may allocate beyond what its own starts with. Enforced on Linux."""
    cpu_limit_s: float | None = None
    """Seconds of processor time, of the subject and every process it starts."""
    output_limit_bytes: int | None = None
    """How much it may write to stdout and stderr together."""
    step_limit: int | None = None
    """How many steps it may begin."""
    process_limit: int | None = None
    """How many processes it may have at once, its own included. Enforced on Linux."""

    @property
    def limits(self) -> dict[LimitName, float]:
        """Those that are set, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(Limits)}
        return {name: value for name, value in found.items() if value is not None}  # type: ignore[misc]


class Breach(NamedTuple):
    """A limit that was met, and by how much."""

    name: LimitName
    limit: float
    reached: float | None
    """None where it cannot be known: what was refused was never there."""

    def sentence(self) -> str:
        """What happened, and what the limit is."""
        return _SENTENCES[self.name].format(limit=self.limit, reached=self.reached or 0)


_SENTENCES: dict[LimitName, str] = {
    "memory_limit_bytes": "The subject may allocate {limit:,} bytes beyond what its process starts with.",
    "cpu_limit_s": "The subject used {reached:.3g} s of processor time; its limit is {limit:g} s.",
    "output_limit_bytes": "The subject wrote {reached:,} bytes to stdout and stderr; its limit is {limit:,}.",
    "step_limit": "The subject began step {reached:,}; its limit is {limit:,} steps.",
    "process_limit": "The subject had {reached:,} processes at once; its limit is {limit:,}.",
}


def check_limits(limits: Limits, name: str) -> None:
    """Raise SubjectError unless every limit is a number above zero and up to MOST, whole where it counts things."""
    for limit, value in limits.limits.items():
        kinds = int | float if limit == "cpu_limit_s" else int
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value <= MOST:
            what = "seconds" if limit == "cpu_limit_s" else "a whole number"
            raise SubjectError(f"The {limit} of {name!r} is {value!r}; give {what} above 0 and up to {MOST:,}.")

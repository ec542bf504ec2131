"""The fingerprint of a failure: failures of one cause share it, and its parts say why.

Algorithm `fp1`. It takes what stays the same from run to run: names of functions but no line numbers, rules but no
values, step names but no ids.
"""

import hashlib
import re

from failtrace.contracts import (
    ContractViolation,
    Crashed,
    ErrorInfo,
    Evidence,
    FailureType,
    Outcome,
    Raised,
    TraceStep,
    UnsupportedClaim,
)

ALGORITHM = "fp1"
MAX_FRAMES = 5
"""Innermost frames of the user's own code that are told apart."""

_FRAME = re.compile(r'^  File "([^"\n]{1,1000})", line \d+, in (\S{1,300})', re.MULTILINE)
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python\d)|^<")
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"")
_INDEX = re.compile(r"\[\d+\]")


def fingerprint_parts(
    failure_type: FailureType,
    subject: str,
    outcome: Outcome,
    evidence: tuple[Evidence, ...],
    path: tuple[TraceStep, ...],
    limit: str | None = None,
) -> tuple[str, ...]:
    """What identifies a failure.

    `path` holds the failing step and its ancestors, the outermost first; `limit` names the one that was met.
    """
    place = "/".join(f"{step.kind.value}:{_steady(step.name)}" for step in path)
    return (
        ALGORITHM,
        failure_type.value,
        subject,
        f"step {place or 'none'}",
        *_cause(failure_type, outcome, evidence, limit),
    )


def fingerprint(parts: tuple[str, ...]) -> str:
    """16 hex digits over the parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _cause(
    failure_type: FailureType, outcome: Outcome, evidence: tuple[Evidence, ...], limit: str | None
) -> tuple[str, ...]:
    if failure_type is FailureType.EXCEPTION and isinstance(outcome, Raised):
        return _error_parts(outcome.error)
    if limit is not None:
        # By which signal the process was ended for it is a matter of a moment.
        return (f"met its {limit}",)
    if isinstance(outcome, Crashed):
        end = outcome.termination
        return (f"ended by {end.signal or f'exit code {end.exit_code}'}",)
    rules = {
        f"{_INDEX.sub('[]', item.location)} {item.rule}" for item in evidence if isinstance(item, ContractViolation)
    }
    claims = {_claim_shape(item.text) for item in evidence if isinstance(item, UnsupportedClaim)}
    return tuple(sorted(rules | claims))


def _error_parts(error: ErrorInfo) -> tuple[str, ...]:
    frames = [f"in {name}" for file, name in _FRAME.findall(error.stacktrace) if not _LIBRARY.search(file)]
    kinds = [error.type, *(f"from {cause.type}" for cause in error.causes if cause.relation == "cause")]
    members = sorted({f"with {member.type}" for member in error.exceptions})
    # Without a frame of the user's own the message has to tell one failure from another.
    where = frames[-MAX_FRAMES:] or [_steady(error.message)]
    return (*kinds, *members, *where)


def _steady(text: str) -> str:
    """A text without the parts that vary from run to run."""
    return _VARYING.sub("*", text[:300])


def _claim_shape(text: str) -> str:
    """What sort of claim it is: with a figure, or with a name."""
    return "claim with a figure" if any(character.isdigit() for character in text) else "claim with a name"

"""Why an execution failed, in one place above its steps: whatever the failure shows for itself, the decisive first."""

from collections import Counter
from collections.abc import Iterator, Sequence

from failtrace.contracts import (
    ContractViolation,
    Crashed,
    DeadlineExceeded,
    ErrorInfo,
    FailureEvent,
    TimedOut,
    TraceRecord,
    UnsupportedClaim,
    Verdict,
)
from failtrace.ui.failure.cause.block import Block, show_blocks
from failtrace.ui.failure.cause.claims import show_claims
from failtrace.ui.failure.cause.contracts import show_violations
from failtrace.ui.failure.cause.deadlines import deadline_block
from failtrace.ui.failure.cause.deaths import death_block, death_details
from failtrace.ui.failure.cause.exceptions import error_block
from failtrace.ui.kinds import PASSED
from failtrace.ui.url_state import FailureAddress


def show_cause(record: TraceRecord, address: FailureAddress) -> None:
    """The cause; `address` is the record's own, for links to its steps."""
    failure = record.failure
    if failure is None:
        passed = Block("This execution passed", _judged(record.verdicts))
        show_blocks("Verdicts", [passed], key="cause", kind=PASSED.key)
        return
    violations = [item for item in failure.evidence if isinstance(item, ContractViolation)]
    claims = [item for item in failure.evidence if isinstance(item, UnsupportedClaim)]
    if violations:
        show_violations(violations, record.output, failure)
    if claims:
        show_claims(claims, record.output, failure)
    blocks = list(_blocks(failure, record, address))
    if not (blocks or violations or claims):
        blocks = [Block(failure.message, f"Found by the detector {failure.detector.name!r}, which shows no evidence.")]
    if blocks:
        show_blocks("Cause", blocks, key="cause", kind=failure.failure_type)


def show_error(error: ErrorInfo, name: str) -> None:
    """One exception, as a step may hold it; `name` is ours, for the component's key."""
    show_blocks("Exception", [error_block(error)], key=f"cause-{name}")


def _blocks(failure: FailureEvent, record: TraceRecord, address: FailureAddress) -> Iterator[Block]:
    end = failure.termination
    details = death_details(end, record, address) if end else ()
    if isinstance(record.outcome, Crashed):
        yield death_block(record.outcome.reason, record.outcome.termination, record, details)
    enforced = not isinstance(record.outcome, TimedOut) or record.outcome.enforced
    for at, item in enumerate(item for item in failure.evidence if isinstance(item, DeadlineExceeded)):
        yield deadline_block(item, details if at == 0 else (), enforced=enforced)
    if failure.error:
        yield error_block(failure.error)


def _judged(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(str(verdict.status) for verdict in verdicts)
    if not counts:
        return "No detector has judged it."
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"Of the {sum(counts.values())} detectors: {told}."

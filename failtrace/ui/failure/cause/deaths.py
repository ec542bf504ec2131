"""A process that did not end by itself: how it died, in plain words."""

from failtrace.analysis.endings import how_it_died, is_ours
from failtrace.contracts import Termination, TraceRecord
from failtrace.ui.failure.cause.block import MOST_LINE, Block, Detail
from failtrace.ui.url_state import FailureAddress
from failtrace.ui.wording import size


def death_block(reason: str, end: Termination, record: TraceRecord, details: tuple[Detail, ...]) -> Block:
    """The block of a death: what is known of it, and nothing of what is not."""
    return Block(headline=reason, text=how_it_died(end, ours=is_ours(end, record)), details=details)


def death_details(end: Termination, record: TraceRecord, address: FailureAddress) -> tuple[Detail, ...]:
    """What is known of a process's end, with a way to the step that was open."""
    memory = {True: "yes", False: "no", None: ""}[end.out_of_memory]
    sender = ", sent by failtrace" if is_ours(end, record) else ""
    known = [
        Detail("Signal", f"{end.signal}{sender}" if end.signal else ""),
        Detail("Exit code", "" if end.exit_code is None else str(end.exit_code)),
        Detail("Out of memory", memory),
        Detail("Peak memory", "" if end.peak_rss_bytes is None else size(end.peak_rss_bytes)),
        Detail("Core dumped", "yes" if end.core_dumped else ""),
        _open_step(end, record, address),
    ]
    return tuple(detail for detail in known if detail.value)


def _open_step(end: Termination, record: TraceRecord, address: FailureAddress) -> Detail:
    """The step that was open at the end; failed to be recorded, its id alone."""
    step_id = end.last_open_step_id or ""
    name = next((step.name for step in record.steps if step.step_id == step_id), None)
    href = FailureAddress(address.failure_id, step_id, address.within).link if name is not None else ""
    return Detail("Last open step", step_id if name is None else name[:MOST_LINE] or step_id, href)

"""The head of a record: what failed, when, for how long, and how whole the story is."""

from datetime import datetime
from typing import Final

import streamlit as st

from failtrace.contracts import Completeness, TraceRecord
from failtrace.ui.components import Fact, header
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import RunAddress
from failtrace.ui.wording import duration, plural, size

_SOURCES: Final = {
    "cosmos": "Cosmos DB",
    "mirror": "this machine's mirror",
    "journal": "this machine's journal",
    "memory": "memory",
}


def record_head(record: TraceRecord, source: str, stored_at: datetime | None, note: str = "") -> None:
    """Draw it. `source` is who answered, `stored_at` since when it is stored, `note` why nobody better did."""
    failure = record.failure
    facts = [
        Fact("Failure id", record.failure_id or "", "mono", copy=record.failure_id or ""),
        Fact("Occurred", (failure.occurred_at if failure else record.ended_at).isoformat(), "time"),
        Fact("Took", duration(record.duration_ms)),
        Fact("Run", record.run_id or "on its own", "mono", href=_run_link(record.run_id)),
        Fact("Read from", _SOURCES.get(source, source)),
        Fact("Kept", completeness(record.completeness)),
    ]
    if stored_at:
        facts.insert(5, Fact("Stored", stored_at.isoformat(), "time"))
    header(
        record.subject.name,
        facts,
        key="head",
        badge=kind_of(failure.failure_type if failure else None).key,
        text=failure.message if failure else "",
    )
    if note:
        st.caption("Why not from the store:")
        st.text(note)


def completeness(kept: Completeness) -> str:
    """What was kept and what was not, in one line."""
    parts = [f"{kept.steps_recorded:,} of {plural(kept.steps_started, 'step')}"]
    for count, words in (
        (kept.steps_dropped, plural(kept.steps_dropped, "step dropped", "steps dropped")),
        (kept.logs_dropped, plural(kept.logs_dropped, "log line dropped", "log lines dropped")),
        (kept.bytes_cut, f"{size(kept.bytes_cut)} cut"),
        (kept.values_redacted, plural(kept.values_redacted, "value redacted", "values redacted")),
        (kept.journal_lines_torn, plural(kept.journal_lines_torn, "journal line torn", "journal lines torn")),
    ):
        if count:
            parts.append(words)
    return " · ".join(parts) if len(parts) > 1 else f"{parts[0]}, nothing cut"


def _run_link(run_id: str | None) -> str:
    return RunAddress(run_id).link if run_id else ""

"""The head of a record: what failed, when, for how long, who answered, and how whole the story is; and the ways on."""

from dataclasses import asdict, dataclass
from typing import Final

from failtrace.contracts import Completeness
from failtrace.mirror.views import Neighbours
from failtrace.storage.lookup import Found
from failtrace.ui.components import Fact, component
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import FailureAddress, FailuresAddress, RunAddress
from failtrace.ui.wording import duration, plural, size
from failtrace.wording import ago

MOST_MESSAGE: Final = 20_000
_SOURCES: Final = {
    "cosmos": "Cosmos DB",
    "mirror": "this machine's mirror",
    "journal": "this machine's journal",
    "memory": "memory",
}

_record = component("record", '<section class="record" aria-label="Record"></section>')
_neighbours = component("neighbours", '<nav aria-label="List of failures"></nav>')


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be done with a record from its head."""

    account: str
    """Of the failure, for a coding agent."""
    compare: str = ""
    """The address of its comparison with a passing execution; empty where there is none."""


def record_head(found: Found, ways: Ways) -> None:
    """Draw it."""
    record, failure = found.record, found.record.failure
    any_id = record.failure_id or record.trace_id
    facts = [
        Fact("Occurred" if failure else "Ended", record.ended_at.isoformat(), "time"),
        Fact("Took", duration(record.duration_ms)),
        Fact("Kept", completeness(record.completeness)),
        Fact("Read from", answered_by(found)),
        Fact(
            "Run",
            record.run_id or "on its own",
            "mono" if record.run_id else "",
            href=RunAddress(record.run_id or "").link if record.run_id else "",
        ),
        Fact("Failure id" if failure else "Trace id", any_id, "mono"),
    ]
    copies = [("Copy for a coding agent", ways.account), ("Copy id", any_id)]
    _record(
        key="head",
        data={
            "badge": kind_of(failure.failure_type if failure else None).key,
            "title": record.subject.name,
            "text": failure.message[:MOST_MESSAGE] if failure else "",
            "facts": [asdict(fact) for fact in facts],
            "copies": [{"label": label, "text": text} for label, text in copies],
            "link": FailureAddress(any_id).link,
            "compare": ways.compare,
            "note": f"Why not from the store: {found.note}" if found.note else "",
        },
    )


def ways_of_the_list(within: FailuresAddress | None, beside: Neighbours) -> None:
    """Back to the list, and the failures before and after in it."""
    label = "Back to the list" if within else "All failures"
    _neighbours(
        key="neighbours",
        data={
            "back": {"label": label, "href": (within or FailuresAddress()).link},
            "previous": FailureAddress(beside.previous, within=within).link if beside.previous else "",
            "next": FailureAddress(beside.next, within=within).link if beside.next else "",
        },
    )


def answered_by(found: Found) -> str:
    """Who answered, and for how long it is stored there."""
    source = _SOURCES.get(found.source, found.source)
    if found.stored_at:
        return f"{source}, stored {ago(found.stored_at)} ago"
    return f"{source}, not stored yet" if found.source == "journal" else source


def completeness(kept: Completeness) -> str:
    """What was kept and what was not, in one line."""
    opened = f"{kept.steps_recorded:,} of {plural(kept.steps_started, 'step')}"
    parts = [opened if kept.steps_started else "no step was opened"]
    for count, words in (
        (kept.steps_dropped, plural(kept.steps_dropped, "step dropped", "steps dropped")),
        (kept.logs_dropped, plural(kept.logs_dropped, "log line dropped", "log lines dropped")),
        (kept.bytes_cut, f"{size(kept.bytes_cut)} cut"),
        (kept.values_redacted, f"{kept.values_redacted:,} redacted"),
        (kept.journal_lines_torn, plural(kept.journal_lines_torn, "journal line torn", "journal lines torn")),
    ):
        if count:
            parts.append(words)
    return ", ".join(parts) if len(parts) > 1 else f"{parts[0]}, nothing cut"

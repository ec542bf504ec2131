"""`failtrace show`: one record by its failure_id or trace_id."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from failtrace.analysis.endings import is_ours
from failtrace.cli.options import json_option
from failtrace.cli.output import one_line, print_line, to_stdout
from failtrace.codec import encode_record
from failtrace.contracts import (
    ContractViolation,
    DeadlineExceeded,
    EndedBy,
    ErrorInfo,
    Evidence,
    Json,
    Termination,
    TraceRecord,
    TraceStep,
)
from failtrace.errors import InputError, RecordNotFound
from failtrace.exchange.account import account
from failtrace.exchange.pasted_id import id_in
from failtrace.mirror.views import FailureFilter
from failtrace.services import open_services
from failtrace.storage.lookup import Found
from failtrace.storage.trace_store import TraceStore
from failtrace.wording import GLYPHS, ago, count_of, duration, printable, size

MAX_VALUE = 2000
MAX_TEXT = 4000
"""Characters of a stack trace or a stream that are shown; a story should fit on some screens."""
MAX_LINES = 50


@click.command("show")
@click.argument("failure_id")
@click.option("--markdown", is_flag=True, help="A compact account in Markdown, to hand to a coding agent.")
@json_option
def show(failure_id: str, markdown: bool, as_json: bool) -> None:
    """Show the whole story of a failure.

    A trace_id in place of the FAILURE_ID shows any execution, also one that passed; so does a link, or a line of a log,
    that holds an id.
    """
    if markdown and as_json:
        raise InputError("--markdown and --json were both given; give one of them.")
    services = open_services()
    try:
        found = services.store.lookup(id_in(failure_id) or failure_id.strip().strip("'\""))
        similar = _similar(services.store, found) if found and markdown else None
    finally:
        services.close()
    if found is None:
        raise RecordNotFound(
            f"No record has the id {failure_id!r:.120}; `failtrace list` shows the failures there are."
        )
    if as_json:
        print_line(encode_record(found.record))
    elif markdown:
        print_line(account(found.record, similar).rstrip("\n"))
    else:
        to_stdout().print(printable("\n".join(_story(found))), soft_wrap=True)


def _similar(store: TraceStore, found: Found) -> int | None:
    """How many failures share the fingerprint; None where it passed."""
    failure = found.record.failure
    return store.mirror.failures(FailureFilter(fingerprint=failure.fingerprint), limit=1).total if failure else None


def _story(found: Found) -> Iterator[str]:
    record = found.record
    yield from _header(found)
    yield from _section("Input", _value(record.input))
    if record.outcome.kind == "returned":
        yield from _section("Output", _value(record.output))
    if record.steps:
        yield from _section("Steps", *_tree(record))
    failure = record.failure
    if failure is not None and failure.error is not None:
        yield from _section("Error", *_error(failure.error))
    for item in failure.evidence if failure is not None else ():
        yield from _section("Evidence", *_evidence(item))
    yield from _logs(record)


def _header(found: Found) -> Iterator[str]:
    record, failure = found.record, found.record.failure
    if failure is None:
        yield f"✓ passed  {record.subject.name}"
    else:
        yield f"{GLYPHS[failure.failure_type]} {failure.failure_type}  {record.subject.name}"
        yield _text(failure.message)
        yield f"failure_id {failure.failure_id}"
        yield f"fingerprint {failure.fingerprint}"
    yield f"trace_id {record.trace_id}"
    yield f"run_id {record.run_id or '–'}"
    since = f", stored {ago(found.stored_at)} ago" if found.stored_at else ""
    yield f"answered by {found.source}{since}{f' ({found.note})' if found.note else ''}"
    yield f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC, {duration(record.duration_ms)}"
    if failure is not None and failure.termination is not None:
        told = ", ".join(_termination(failure.termination, record))
        yield f"process: {told or 'nobody saw how it ended'}"
    whole = record.completeness
    yield (
        f"{whole.steps_recorded:,} of {count_of(whole.steps_started, 'step')} recorded, {size(whole.bytes_cut)} cut, "
        f"{count_of(whole.values_redacted, 'value')} redacted, {count_of(whole.journal_lines_torn, 'line')} torn"
    )


def _termination(death: Termination, record: TraceRecord) -> Iterator[str]:
    if death.signal is not None:
        sender = "failtrace with " if is_ours(death, record) else ""
        yield f"ended by {sender}{death.signal}" + (", core dumped" if death.core_dumped else "")
    if death.exit_code is not None:
        yield f"exit code {death.exit_code}"
    if death.out_of_memory:
        yield "out of memory"
    if death.peak_rss_bytes is not None:
        yield f"at most {death.peak_rss_bytes / 1e6:,.0f} MB in memory"


def _section(title: str, *lines: str) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        yield from (f"  {part}" for part in line.splitlines() or [""])


def _value(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _abridged(text, MAX_VALUE, end=0)


def _abridged(text: str, most: int, *, end: int) -> str:
    """The text; of one longer than `most`, its beginning and `end` characters of its end, and what is left out."""
    if len(text) <= most:
        return text
    said = f"… {len(text) - most:,} of {len(text):,} characters left out; --json shows all …"
    return "\n".join([text[: most - end], said, text[len(text) - end :]]).rstrip("\n")


def _tree(record: TraceRecord) -> Iterator[str]:
    depth: dict[str | None, int] = {None: -1}
    failing = record.failure.step_id if record.failure else None
    for step in record.steps:
        depth[step.step_id] = depth.get(step.parent_id, -1) + 1
        yield "  " * depth[step.step_id] + _step(step, failing=step.step_id == failing)


def _step(step: TraceStep, *, failing: bool) -> str:
    ended = "" if step.ended_by is EndedBy.ITSELF else f", ended by {step.ended_by}"
    mark = "▶ " if failing else ""
    status = "" if step.status == "unset" else f", {step.status}"
    return f"{mark}{one_line(step.name, 80)} ({step.kind}) {duration(step.duration_ms)}{ended}{status}"


def _error(error: ErrorInfo) -> Iterator[str]:
    yield f"{error.type}: {_text(error.message)}"
    yield _text(error.stacktrace)
    for note in error.notes:
        yield f"note: {note}"
    for related in (*error.causes, *error.exceptions):
        yield f"{related.relation} {related.type}: {_text(related.message)}"
        yield _text(related.stacktrace)


def _evidence(item: Evidence) -> Iterator[str]:
    if isinstance(item, ContractViolation):
        yield f"{item.location}: {item.rule}: {item.message}"
        yield f"value: {_value(item.value)}"
    elif isinstance(item, DeadlineExceeded):
        yield f"limit {item.limit_s:g} s, elapsed {item.elapsed_s:.3f} s"
        if item.stacks.strip():
            yield _text(item.stacks)
    else:
        yield f"“{item.text}” ({item.start}–{item.end}), score {item.score:.2f}"
        yield f"nearest evidence ({item.evidence_source or 'none'}): {item.nearest_evidence or '–'}"


def _logs(record: TraceRecord) -> Iterator[str]:
    logs = record.logs
    if logs.lines:
        shown = logs.lines[-MAX_LINES:]
        told = [f"{line.time:%H:%M:%S.%f} {line.level} {line.logger}: {_text(line.message)}" for line in shown]
        before = f" (the last {len(shown)} of {len(logs.lines):,} lines; --json shows all)"
        yield from _section(f"Log{before if len(shown) < len(logs.lines) else ''}", *told)
    for name, tail in (("stdout", logs.stdout), ("stderr", logs.stderr)):
        if tail.text:
            yield from _section(f"{name} ({size(tail.total_bytes)} in all)", _text(tail.text))


def _text(text: str) -> str:
    """More of its end than of its beginning: there it failed."""
    return _abridged(text, MAX_TEXT, end=MAX_TEXT * 3 // 4)

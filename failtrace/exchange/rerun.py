"""How to run an execution again: a command for a shell, or of a watched call Python."""

import json
import re
import shlex
from typing import Final

from failtrace.analysis.watched import is_watched
from failtrace.capture.markers import KEY
from failtrace.contracts import TimedOut, TraceRecord
from failtrace.exchange.call_again import call_again
from failtrace.exchange.markdown import fenced, span

MAX_COMMAND: Final = 700
"""Bytes of a command that carries its input; a longer input is read from the record."""
_MAX_NAME: Final = 200
_IMPORTABLE: Final = re.compile(r"(?!__main__\b)([^\W\d]\w*(?:\.[^\W\d]\w*)*):[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_INPUT_OF: Final = """python -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["input"]))'"""


def rerun(record: TraceRecord) -> str:
    """As Markdown, with what to mind; where neither finds the subject, what to do instead."""
    told = call_again(record) if is_watched(record) else _by_command(record)
    if f'"{KEY}"' in json.dumps(record.input):
        return (
            f"{told}\n\nThe input holds marks ({span(KEY)}) in place of what was cut, redacted or is no JSON; "
            "put the values back first."
        )
    return told


def _by_command(record: TraceRecord) -> str:
    command = rerun_command(record)
    if command is None:
        return (
            "No command finds this subject by its source; call `run_with_failure_detection` where it is defined, "
            f"on the input of `failtrace show {record.failure_id or record.trace_id} --json`."
        )
    return f"In the project's folder:\n\n{fenced(command, 'sh')}"


def rerun_command(record: TraceRecord) -> str | None:
    """One line that runs the same subject on the same input; None where its name or source cannot be typed."""
    source = _IMPORTABLE.fullmatch(record.subject.source)
    name = record.subject.name
    if (
        not source
        or len(record.subject.source) + len(name) > _MAX_NAME
        or not name.isprintable()
        or name.startswith("-")
    ):
        return None
    module = "" if name == record.subject.source else f"FAILTRACE_SUBJECTS={source[1]} "
    limit = f" --timeout {record.outcome.limit_s:g}" if isinstance(record.outcome, TimedOut) else ""
    run = f"{module}failtrace run {shlex.quote(name)}{limit}"
    value = json.dumps(record.input, ensure_ascii=False)
    # What cannot be seen cannot be copied from a screen.
    typed = value if value.isprintable() else json.dumps(record.input)
    whole = f"{run} --input {shlex.quote(typed)}"
    if len(whole.encode()) <= MAX_COMMAND:
        return whole
    return f"failtrace show {record.failure_id or record.trace_id} --json | {_INPUT_OF} | {run} --inputs -"

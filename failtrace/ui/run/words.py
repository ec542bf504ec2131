"""A run in words: how far it is, how it ended, how long it took, how fast it was. Imports no Streamlit."""

from datetime import datetime
from typing import Final

from failtrace.mirror.views import RunRow
from failtrace.ui.wording import duration, plural

_INTERRUPTED: Final = (
    "Interrupted: its process is gone, killed or lost with its machine. What had ended by then is kept; what was "
    "under way is recovered from the journal."
)


def pace(row: RunRow, now: datetime) -> str:
    """How far a run that goes is: `12 of 40 ended · 3.1 per second · 9 s left`."""
    seconds = max(0.001, (now - row.started_at).total_seconds())
    words = [f"{row.executions:,} of {row.planned:,} ended" if row.planned else f"{row.executions:,} ended"]
    if row.executions:
        words.append(f"{row.executions / seconds:.1f} per second")
        if row.planned and row.planned > row.executions:
            left = (row.planned - row.executions) * seconds / row.executions
            words.append(f"{duration(max(1, round(left)) * 1000).replace('.00', '')} left")
    return " · ".join(words)


def ending(row: RunRow) -> str:
    """What happened, in a sentence or two; empty while it goes on."""
    if row.state == "running":
        return ""
    said = [_how_it_ended(row)]
    if row.bad_lines:
        said.append(
            f"{plural(row.bad_lines, 'line of the inputs was', 'lines of the inputs were')} not JSON and skipped."
        )
    return " ".join(said)


def took(row: RunRow) -> str:
    """How long it took; empty while it goes, and where nobody was there to see its end."""
    if row.ended_at is None or row.state == "interrupted":
        return ""
    return duration((row.ended_at - row.started_at).total_seconds() * 1000)


def rate(row: RunRow) -> str:
    """Executions per second; empty where `took` is, or nothing ended."""
    if not took(row) or row.ended_at is None or not row.executions:
        return ""
    return f"{row.executions / max(0.001, (row.ended_at - row.started_at).total_seconds()):,.1f}"


def _how_it_ended(row: RunRow) -> str:
    if row.state == "interrupted":
        return _INTERRUPTED
    ended = plural(row.executions, "execution")
    if row.state == "cancelled":
        return f"Cancelled: {ended} had ended or begun and are recorded, {row.not_run:,} did not run."
    if not row.executions:
        return "Finished: nothing ran."
    if not row.failed:
        return f"Finished: {'all ' if row.executions > 1 else ''}{ended} passed."
    return f"Finished: {row.failed:,} of {ended} failed."

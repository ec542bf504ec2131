"""What an execution said aside from its result: log lines by level and words, and the tails of its streams."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import pandas as pd
import streamlit as st

from failtrace.analysis.watched import is_watched
from failtrace.contracts import LogLine, Logs, TraceRecord
from failtrace.ui.values import show_text
from failtrace.ui.wording import size

SHOWN_LINES: Final = 2000
MOST_LEVELS: Final = 20
_LONGEST_MESSAGE: Final = 2000
_ORDER: Final = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")


def show_logs(record: TraceRecord) -> None:
    """The lines, narrowed as the reader likes, then stdout and stderr."""
    logs = record.logs
    if not (logs.lines or logs.stdout.text or logs.stderr.text):
        st.caption(_nothing(record))
    if logs.lines:
        _show_lines(logs.lines, {step.step_id: step.name for step in record.steps})
    _show_tails(logs)


def _nothing(record: TraceRecord) -> str:
    """A host's own streams are left alone, so nobody knows what it printed."""
    if is_watched(record):
        return "watch keeps no log and no output streams."
    if record.environment.isolation == "inline":
        return "Nothing was logged; inline keeps no output streams."
    return "Nothing was logged or printed."


def levels_of(lines: Iterable[LogLine]) -> list[str]:
    """The levels there are, the gravest first; names that Python does not know come last."""
    found = sorted({line.level for line in lines})[:MOST_LEVELS]
    return sorted(found, key=lambda level: _ORDER.index(level) if level in _ORDER else len(_ORDER))


def narrowed(lines: Iterable[LogLine], levels: Sequence[str], words: str) -> Iterable[LogLine]:
    """The lines of these levels (of all, where none is given) that hold the words, whatever their case."""
    wanted, text = set(levels), words.strip().casefold()
    return (
        line
        for line in lines
        if (not wanted or line.level in wanted)
        and (not text or text in line.message.casefold() or text in line.logger.casefold())
    )


def _show_lines(lines: Sequence[LogLine], names: dict[str, str]) -> None:
    left, right = st.columns(2)
    with left:
        levels = st.multiselect(
            "Levels", levels_of(lines), key="log-levels", placeholder="All levels", label_visibility="collapsed"
        )
    with right:
        words = st.text_input(
            "Words",
            key="log-words",
            placeholder="Words in messages and loggers",
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=200,
        )
    shown = list(islice(narrowed(lines, levels, words or ""), SHOWN_LINES + 1))
    if not shown:
        st.caption(f"0 of {len(lines):,} lines match.")
        return
    table = pd.DataFrame(
        {
            "Time": line.time,
            "Level": line.level,
            "Step": names.get(line.step_id or "", ""),
            "Logger": line.logger,
            "Message": line.message[:_LONGEST_MESSAGE],
        }
        for line in shown[:SHOWN_LINES]
    )
    time = st.column_config.DatetimeColumn(format="HH:mm:ss.SSS", width="small")
    columns = {"Time": time, "Message": st.column_config.TextColumn(width="large")}
    st.dataframe(table, hide_index=True, column_config=columns, alt="Log lines")
    more = len(shown) > SHOWN_LINES
    count = f"The first {SHOWN_LINES:,} that match" if more else f"{len(shown):,}"
    st.caption(f"{count} of {len(lines):,} lines{'; the record holds all' if more else ''}.")


def _show_tails(logs: Logs) -> None:
    for label, tail in (("stdout", logs.stdout), ("stderr", logs.stderr)):
        if tail.text:
            kept = len(tail.text.encode())
            cut = f", the last {size(kept)} of {size(tail.total_bytes)}" if tail.total_bytes > kept else ""
            st.caption(label + cut)
            show_text(tail.text, label)

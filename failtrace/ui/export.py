"""What is selected in the list of failures, as a file: JSON Lines of whole records, or CSV of their summaries."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import streamlit as st

from failtrace.errors import UnreadableRecord
from failtrace.exchange.rows import MOST_RECORDS, csv_table, json_lines
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow
from failtrace.ui.components import Picked
from failtrace.ui.stretch import Stretch
from failtrace.ui.wording import plural

_AT_ONCE: Final = 500


def show_export(mirror: Mirror, shown: Stretch, picked: Picked) -> None:
    """Two buttons, where anything is selected; a file is made only when one is pressed."""
    count = shown.page.total if picked.everything else len(picked.ids)
    if not count:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "JSON Lines",
            lambda: json_lines(_records(mirror, shown, picked)).content,
            "failures.jsonl",
            "application/x-ndjson",
            icon=":material/download:",
            key="export-jsonl",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            lambda: csv_table(_rows(mirror, shown, picked)),
            "failures.csv",
            "text/csv",
            icon=":material/download:",
            key="export-csv",
            on_click="ignore",
        )
        cut = f"the first {MOST_RECORDS:,} of {count:,} failures" if count > MOST_RECORDS else plural(count, "failure")
        st.caption(f"{cut}; JSON Lines holds whole records, up to 200 MB, CSV a line for each.")


def _rows(mirror: Mirror, shown: Stretch, picked: Picked) -> Iterator[ExecutionRow]:
    """The rows that are selected, in the order of the list where all are, at most MOST_RECORDS."""
    found = _all_rows(mirror, shown) if picked.everything else map(mirror.execution, picked.ids)
    return (row for row in islice(found, MOST_RECORDS) if row is not None)


def _all_rows(mirror: Mirror, shown: Stretch) -> Iterator[ExecutionRow]:
    after: str | None = None
    while True:
        page = mirror.failures(shown.filter, limit=_AT_ONCE, after=after, sort=shown.address.sort)
        yield from page.rows
        if (after := page.after) is None:
            return


def _records(mirror: Mirror, shown: Stretch, picked: Picked) -> Iterator[bytes]:
    for row in _rows(mirror, shown, picked):
        try:
            body = mirror.record(row.trace_id)
        except UnreadableRecord:
            # Its page says so, and gives the bytes.
            continue
        if body is not None:
            yield body

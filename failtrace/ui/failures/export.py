"""Failures to take along as a file: JSON Lines of whole records, or CSV of their summaries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import streamlit as st

from failtrace.errors import FailtraceError, UnreadableRecord
from failtrace.exchange.rows import MOST_BYTES, MOST_RECORDS, csv_table, json_lines
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow
from failtrace.ui.components import Picked
from failtrace.ui.failures.stretch import LOOK_S, Stretch
from failtrace.ui.taken_along import noted
from failtrace.ui.wording import plural, size

_AT_ONCE: Final = 500
_RECEIPT: Final = "export-receipt"


@dataclass(slots=True)
class Receipt:
    """What came of the last export: written by the thread that makes the file, read by the page."""

    said: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """Failures of a list that are to be taken along: those picked, all that match where none is."""

    mirror: Mirror
    shown: Stretch
    picked: Picked
    receipt: Receipt
    most_bytes: int = MOST_BYTES

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.picked.ids) if self._is_some else self.shown.page.total

    @property
    def taken(self) -> int:
        """How many of them one file may hold."""
        return min(self.count, MOST_RECORDS)

    @property
    def _is_some(self) -> bool:
        return bool(self.picked.ids) and not self.picked.everything

    def json_lines(self) -> bytes:
        """The file of whole records. Raises StoreError where the mirror cannot answer."""
        damaged: list[str] = []
        try:
            made = json_lines(self._records(damaged), self.most_bytes)
        except FailtraceError as error:
            self.receipt.said = f"The export failed: {error}"
            raise
        said = [f"The last file holds {made.records:,} of {plural(self.count, 'record')}"]
        if made.full:
            said.append(f"more would not fit into {size(self.most_bytes)}")
        if damaged:
            said.append(f"{plural(len(damaged), 'damaged record')} left out, the first of {damaged[0]}")
        self.receipt.said = "; ".join(said) + "."
        return made.content

    def csv(self) -> bytes:
        """The file of summaries. Raises StoreError where the mirror cannot answer."""
        try:
            rows = list(self.rows())
        except FailtraceError as error:
            self.receipt.said = f"The export failed: {error}"
            raise
        self.receipt.said = f"The last file holds {len(rows):,} of {plural(self.count, 'failure')}."
        return csv_table(rows)

    def rows(self) -> Iterator[ExecutionRow]:
        """The rows, in the order of the list where all are wanted, at most MOST_RECORDS."""
        found = map(self.mirror.execution, self.picked.ids) if self._is_some else self._all_rows()
        return (row for row in islice(found, MOST_RECORDS) if row is not None)

    def _all_rows(self) -> Iterator[ExecutionRow]:
        after: str | None = None
        while True:
            page = self.mirror.failures(self.shown.filter, limit=_AT_ONCE, after=after, sort=self.shown.address.sort)
            yield from page.rows
            if (after := page.after) is None:
                return

    def _records(self, damaged: list[str]) -> Iterator[bytes]:
        for row in self.rows():
            try:
                body = self.mirror.record(row.trace_id)
            except UnreadableRecord:
                damaged.append(row.failure_id or row.trace_id)
                continue
            if body is not None:
                yield body


def show_export(mirror: Mirror, shown: Stretch, picked: Picked) -> None:
    """A button that opens two more; a file is made only when one of those is pressed."""
    receipt = st.session_state.setdefault(_RECEIPT, Receipt())
    export = Export(mirror, shown, picked, receipt)
    is_all = export.count > 1 and (picked.everything or not picked.ids)
    some = f"{'all ' if is_all else ''}{export.count:,}"
    with st.popover(f"Export {some}", icon=":material/download:", key="export"):
        if export.taken < export.count:
            st.caption(f"The first {export.taken:,} of {export.count:,} failures, in this order.")
        what = plural(export.taken, "failure")
        lines, table = noted(mirror, what, export.json_lines), noted(mirror, what, export.csv)
        _button("JSON Lines", lines, "failures.jsonl", "application/x-ndjson", "export-jsonl")
        st.caption(f"One record a line, all that is kept of it: input, output, steps, log. {size(MOST_BYTES)} at most.")
        _button("CSV", table, "failures.csv", "text/csv", "export-csv")
        st.caption("A line for each failure. Text that a spreadsheet would take for a formula gets an apostrophe.")
        _tell(receipt)


def _button(label: str, make: Callable[[], bytes], name: str, mime: str, key: str) -> None:
    st.download_button(label, make, name, mime, key=key, on_click="ignore", width="stretch")


@st.fragment(run_every=LOOK_S)
def _tell(receipt: Receipt) -> None:
    if receipt.said:
        st.text(receipt.said)

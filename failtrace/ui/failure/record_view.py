"""The tabs of a record: what it holds beside its cause and its steps."""

import json
from collections.abc import Callable

import streamlit as st

from failtrace.contracts import TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.ui.failure.cause.block import Block, Detail, show_blocks
from failtrace.ui.failure.log_view import show_logs
from failtrace.ui.failure.similar import show_similar
from failtrace.ui.taken_along import noted
from failtrace.ui.values import SHOWN_BYTES, show_json, show_text
from failtrace.ui.wording import no_output, size


@st.fragment
def show_tabs(record: TraceRecord, raw: bytes, mirror: Mirror) -> None:
    """What else a record holds, and failures like it; only the open tab is computed, and redraws nothing else."""
    parts: dict[str, Callable[[], None]] = {
        "Input and output": lambda: _show_values(record),
        "Logs": lambda: show_logs(record),
        "Verdicts": lambda: _show_verdicts(record),
        "Environment": lambda: _show_environment(record),
        "Similar failures": lambda: show_similar(mirror, record),
        "Whole record": lambda: show_raw(raw, record.failure_id or record.trace_id, mirror),
    }
    for tab, show in zip(st.tabs(list(parts), key="view", on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_raw(raw: bytes, name: str, mirror: Mirror) -> None:
    """The stored JSON, to read and to take along."""
    st.download_button(
        f"Download record ({size(len(raw))})",
        noted(mirror, f"the record {name}", lambda: raw),
        f"{name}.json",
        "application/json",
        icon=":material/download:",
        key="download-record",
        on_click="ignore",
    )
    if len(raw) > SHOWN_BYTES:
        show_text(raw[:SHOWN_BYTES].decode(errors="ignore"), "record")
        st.caption(f"The first {size(SHOWN_BYTES)} of {size(len(raw))}; the download holds all.")
        return
    try:
        value = json.loads(raw)
    except ValueError:
        show_text(raw.decode(errors="replace"), "record")
    else:
        show_json(value, "record", raw=True)


def _show_values(record: TraceRecord) -> None:
    given, gave = st.columns(2)
    with given:
        st.caption("Input")
        show_json(record.input, "input")
    with gave:
        st.caption("Output")
        if record.outcome.kind == "returned":
            show_json(record.output, "output")
        else:
            st.caption(no_output(record))


def _show_verdicts(record: TraceRecord) -> None:
    # Not as a table: its cells would cut the reasons, which are the point.
    blocks = [
        Block(f"{item.detector.name}: {item.status}", item.reason, details=(Detail("Version", item.detector.version),))
        for item in record.verdicts
    ]
    if blocks:
        show_blocks("Verdicts of the detectors", blocks, key="verdicts")
    else:
        st.caption("No detector has judged it.")


def _show_environment(record: TraceRecord) -> None:
    show_json(
        {
            "subject": record.subject.model_dump(mode="json"),
            "environment": record.environment.model_dump(mode="json"),
            "attributes": dict(record.attributes),
            "trace_id": record.trace_id,
            "completeness": record.completeness.model_dump(mode="json"),
        },
        "environment",
    )

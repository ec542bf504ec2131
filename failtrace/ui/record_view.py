"""The tabs of a record: what it holds beside its cause and its steps."""

import json
from collections.abc import Callable

import pandas as pd
import streamlit as st

from failtrace.contracts import TraceRecord
from failtrace.mirror.mirror import Mirror
from failtrace.ui.log_view import show_logs
from failtrace.ui.similar_view import show_similar
from failtrace.ui.values import SHOWN_BYTES, show_json, show_text
from failtrace.ui.wording import size


@st.fragment
def show_tabs(record: TraceRecord, raw: bytes, mirror: Mirror) -> None:
    """What else a record holds, and failures like it; only the open tab is computed, and redraws nothing else."""
    parts: dict[str, Callable[[], None]] = {
        "Input and output": lambda: _show_values(record),
        "Logs": lambda: show_logs(record),
        "Verdicts": lambda: _show_verdicts(record),
        "Environment": lambda: _show_environment(record),
        "Similar failures": lambda: show_similar(mirror, record),
        "Whole record": lambda: show_raw(raw, record.failure_id or record.trace_id),
    }
    for tab, show in zip(st.tabs(list(parts), key="view", on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_raw(raw: bytes, name: str) -> None:
    """The stored JSON, to read and to take along."""
    st.download_button(
        f"Download record ({size(len(raw))})",
        raw,
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
        show_json(value, "record")


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
            st.caption("The subject did not return.")


def _show_verdicts(record: TraceRecord) -> None:
    table = pd.DataFrame(
        {
            "Detector": item.detector.name,
            "Version": item.detector.version,
            "Verdict": str(item.status),
            "Reason": item.reason,
        }
        for item in record.verdicts
    )
    st.dataframe(table, hide_index=True, alt="Verdicts of the detectors")


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

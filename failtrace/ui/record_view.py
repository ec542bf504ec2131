"""The parts of a record below its head: the timeline with the chosen step, and the tabs."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from failtrace.contracts import LogLine, StepStatus, TraceRecord, TraceStep
from failtrace.ui.components import timeline
from failtrace.ui.evidence_view import show_error
from failtrace.ui.steps import first_chosen, how_it_ended, timeline_data
from failtrace.ui.values import show_json, show_text
from failtrace.ui.wording import duration, size

_SHOWN_LOG_LINES = 2000


@st.fragment
def show_timeline(record: TraceRecord) -> None:
    """The steps on a time axis and the detail of the chosen one; choosing redraws nothing else."""
    data = _timeline_data(record.trace_id, record)
    chosen = timeline(data, key=f"timeline-{record.trace_id}") or data["selected"]
    step = next((step for step in record.steps if step.step_id == chosen), None)
    if step:
        with st.container(border=True):
            _show_step(step)


@st.cache_data(max_entries=16, show_spinner=False)
def _timeline_data(trace_id: str, _record: TraceRecord) -> dict[str, Any]:
    """Kept, since every choice of a step asks for the same again: of 30,000 steps that is most of the answer's time."""
    del trace_id
    return timeline_data(_record, first_chosen(_record))


def _show_step(step: TraceStep) -> None:
    words = [str(step.kind), duration(step.duration_ms), how_it_ended(step)]
    if step.status is StepStatus.ERROR:
        words.insert(1, "error")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(step.name)
        st.caption(" · ".join(word for word in words if word))
    given, gave = st.columns(2)
    with given:
        st.caption("Input")
        show_json(step.input, f"step-{step.step_id}-input")
    with gave:
        st.caption("Output")
        show_json(step.output, f"step-{step.step_id}-output")
    if step.attributes:
        st.caption("Attributes")
        show_json(step.attributes, f"step-{step.step_id}-attributes")
    if step.events:
        st.caption("Events")
        show_json([event.model_dump(mode="json") for event in step.events], f"step-{step.step_id}-events")
    if step.error:
        show_error(step.error, f"step-{step.step_id}-error")
    dropped = {name: count for name, count in step.dropped.model_dump().items() if count}
    if dropped:
        st.caption("Not kept: " + ", ".join(f"{count:,} {name}" for name, count in dropped.items()))


def show_tabs(record: TraceRecord, raw: bytes) -> None:
    """Input and output, logs, verdicts, environment, the whole record; only the open one is computed."""
    labels = ["Input and output", "Logs", "Verdicts", "Environment", "Whole record"]
    values, logs, verdicts, environment, whole = st.tabs(labels, key="view", on_change="rerun")
    if values.open:
        with values:
            _show_values(record)
    if logs.open:
        with logs:
            _show_logs(record)
    if verdicts.open:
        with verdicts:
            _show_verdicts(record)
    if environment.open:
        with environment:
            _show_environment(record)
    if whole.open:
        with whole:
            show_raw(raw, record.failure_id or record.trace_id)


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


def _show_logs(record: TraceRecord) -> None:
    logs = record.logs
    if not (logs.lines or logs.stdout.text or logs.stderr.text):
        st.caption("Nothing was logged or printed.")
    if logs.lines:
        _show_log_lines(logs.lines)
    for label, tail in (("stdout", logs.stdout), ("stderr", logs.stderr)):
        if tail.text:
            kept = len(tail.text.encode())
            cut = f", the last {size(kept)} of {size(tail.total_bytes)}" if tail.total_bytes > kept else ""
            st.caption(label + cut)
            show_text(tail.text, label)


def _show_log_lines(lines: Sequence[LogLine]) -> None:
    table = pd.DataFrame(
        {"Time": line.time, "Level": line.level, "Logger": line.logger, "Message": line.message}
        for line in lines[:_SHOWN_LOG_LINES]
    )
    time = st.column_config.DatetimeColumn(format="HH:mm:ss.SSS", width="small")
    st.dataframe(table, hide_index=True, column_config={"Time": time}, alt="Log lines")
    if len(lines) > _SHOWN_LOG_LINES:
        st.caption(f"The first {_SHOWN_LOG_LINES:,} of {len(lines):,} lines; the record holds all.")


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
    if record.failure:
        st.caption("Failures of one cause share this fingerprint, made from:")
        show_json([record.failure.fingerprint, *record.failure.fingerprint_parts], "fingerprint")


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

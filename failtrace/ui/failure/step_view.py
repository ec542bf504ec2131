"""The detail of one step: what it was given and gave, what it logged, and how it ended."""

from typing import Final

import streamlit as st

from failtrace.contracts import FailureType, Json, LogLine, StepStatus, TraceRecord, TraceStep
from failtrace.ui.components import Fact, header
from failtrace.ui.failure.evidence_view import show_error
from failtrace.ui.failure.steps import how_it_ended
from failtrace.ui.values import NOT_RECORDED, show_json, show_text
from failtrace.ui.wording import duration, percent, plural

_NAMED: Final[dict[str, tuple[str, ...]]] = {
    "Model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    "Tool": ("gen_ai.tool.name", "tool.name"),
    "Agent": ("gen_ai.agent.name",),
    "Tokens in": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    "Tokens out": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
    "Cost": ("gen_ai.usage.cost", "llm.cost.total"),
    "Stopped by": ("gen_ai.response.finish_reasons",),
}
"""What OpenTelemetry's conventions for GenAI, and OpenInference's, call the facts that a reader looks for first."""
_MOST_LOGS: Final = 200


def step_head(record: TraceRecord, step: TraceStep) -> None:
    """Draw its name and facts."""
    header(step.name, _facts(record, step), key="step-head")


def show_step(record: TraceRecord, step: TraceStep) -> None:
    """Draw what it holds; long values want the whole width."""
    if step.error:
        show_error(step.error, f"step-{step.step_id}-error")
    for label, value, column in zip(("Input", "Output"), (step.input, step.output), st.columns(2), strict=True):
        with column:
            st.caption(f"{label} of the step")
            show_json(value, f"step-{step.step_id}-{label.lower()}", nothing=NOT_RECORDED)
    if step.attributes:
        with st.expander(plural(len(step.attributes), "attribute")):
            show_json(step.attributes, f"step-{step.step_id}-attributes")
    if step.events:
        with st.expander(plural(len(step.events), "event")):
            show_json([event.model_dump(mode="json") for event in step.events], f"step-{step.step_id}-events")
    _show_logs([line for line in record.logs.lines if line.step_id == step.step_id], step.step_id)
    _show_dropped(step)


def _facts(record: TraceRecord, step: TraceStep) -> list[Fact]:
    offset = max(0.0, (step.started_at - record.started_at).total_seconds() * 1000)
    share = f", {percent(min(1.0, step.duration_ms / record.duration_ms))} of all" if record.duration_ms > 0 else ""
    facts = [
        Fact("Kind", str(step.kind)),
        Fact("Ended", _ended(record, step)),
        Fact("Began", f"after {duration(offset)}"),
        Fact("Took", duration(step.duration_ms) + share),
    ]
    for label, names in _NAMED.items():
        value = next((step.attributes[name] for name in names if name in step.attributes), None)
        if value is not None:
            facts.append(Fact(label, _spelt(value)))
    facts.append(Fact("Step id", step.step_id, "mono", copy=step.step_id))
    return facts


def _ended(record: TraceRecord, step: TraceStep) -> str:
    status = "failed" if step.status is StepStatus.ERROR else "ok" if step.status is StepStatus.OK else ""
    words = ", ".join([word for word in (status, how_it_ended(step)) if word])
    failure = record.failure
    if failure and failure.step_id == step.step_id and failure.failure_type is FailureType.HALLUCINATION_FLAG:
        return f"{words or 'by itself'}; the claim it made is what failed"
    return words or "by itself"


def _spelt(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join([_spelt(item) for item in value[:5]])
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)[:200]
    return f"{value:,}"


def _show_logs(lines: list[LogLine], step_id: str) -> None:
    if not lines:
        return
    shown = lines[:_MOST_LOGS]
    with st.expander(plural(len(lines), "log line")):
        text = "\n".join([f"{line.time:%H:%M:%S.%f} {line.level} {line.logger}: {line.message}" for line in shown])
        show_text(text, f"step-{step_id}-logs")
        if len(lines) > len(shown):
            st.caption(f"The first {len(shown):,} of {len(lines):,}; the tab Logs has all.")


def _show_dropped(step: TraceStep) -> None:
    dropped = {name: count for name, count in step.dropped.model_dump().items() if count}
    if dropped:
        st.caption("Not kept: " + ", ".join(f"{count:,} {name}" for name, count in dropped.items()))

"""Why an execution counts as failed: the detector's evidence, the exception, and how the process ended."""

import json

import pandas as pd
import streamlit as st

from failtrace.contracts import (
    ContractViolation,
    DeadlineExceeded,
    ErrorInfo,
    FailureEvent,
    FailureType,
    Termination,
    UnsupportedClaim,
)
from failtrace.ui.values import show_text
from failtrace.ui.wording import duration, size

_SHOWN_ROWS = 500
_LONGEST_CELL = 2000


def show_evidence(failure: FailureEvent) -> None:
    """Everything the failure shows for itself, the decisive first."""
    violations = [item for item in failure.evidence if isinstance(item, ContractViolation)]
    claims = [item for item in failure.evidence if isinstance(item, UnsupportedClaim)]
    deadlines = [item for item in failure.evidence if isinstance(item, DeadlineExceeded)]
    if violations:
        _show_violations(violations)
    if claims:
        _show_claims(claims)
    for at, deadline in enumerate(deadlines):
        _show_deadline(deadline, f"stacks-{at}")
    if failure.termination:
        _show_termination(failure.termination, at_deadline=failure.failure_type is FailureType.TIMEOUT)
    if failure.error:
        show_error(failure.error, "error")


def show_error(error: ErrorInfo, name: str) -> None:
    """The exception, its notes, what led to it, and what it holds. `name` is ours, for the widgets' keys."""
    st.subheader("Exception", anchor=False)
    _show_one(error, name)
    for at, cause in enumerate(error.causes):
        st.markdown("**Caused by**" if cause.relation == "cause" else "**While handling**")
        _show_one(cause, f"{name}-cause-{at}")
    for at, member in enumerate(error.exceptions):
        with st.expander(f"Member {at + 1} of {len(error.exceptions)}", expanded=at < 2):
            _show_one(member, f"{name}-member-{at}")
            for deeper, cause in enumerate([*member.causes, *member.exceptions]):
                st.markdown("**And behind it**")
                _show_one(cause, f"{name}-member-{at}-{deeper}")


def _show_one(error: ErrorInfo, name: str) -> None:
    last_line, stack = f"{error.type}: {error.message}", error.stacktrace.rstrip()
    show_text(stack if stack.endswith(last_line) else f"{stack}\n{last_line}".lstrip("\n"), name)
    for note in error.notes:
        st.text(f"Note: {note[:_LONGEST_CELL]}")


def _show_violations(violations: list[ContractViolation]) -> None:
    st.subheader("Where the output breaks its contract", anchor=False)
    table = pd.DataFrame(
        {
            "Where": item.location,
            "Rule": item.rule,
            "What is wrong": item.message[:_LONGEST_CELL],
            "Value found": "" if item.rule == "missing" else json.dumps(item.value, ensure_ascii=False)[:_LONGEST_CELL],
        }
        for item in violations[:_SHOWN_ROWS]
    )
    st.dataframe(table, hide_index=True, alt="Contract violations")
    _say_if_cut(len(violations))


def _show_claims(claims: list[UnsupportedClaim]) -> None:
    st.subheader("Claims that no evidence holds", anchor=False)
    table = pd.DataFrame(
        {
            "Claim": claim.text[:_LONGEST_CELL],
            "At": f"{claim.start}–{claim.end}",
            "How sure": claim.score,
            "Nearest evidence": claim.nearest_evidence[:_LONGEST_CELL] or "none comes near",
            "From": claim.evidence_source,
        }
        for claim in claims[:_SHOWN_ROWS]
    )
    sure = st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent")
    st.dataframe(table, hide_index=True, column_config={"How sure": sure}, alt="Unsupported claims")
    _say_if_cut(len(claims))


def _show_deadline(deadline: DeadlineExceeded, name: str) -> None:
    st.subheader("Where it stood at the deadline", anchor=False)
    st.caption(f"Limit {duration(deadline.limit_s * 1000)}, ended after {duration(deadline.elapsed_s * 1000)}.")
    show_text(deadline.stacks or "The stacks could not be taken.", name)


def _show_termination(end: Termination, *, at_deadline: bool) -> None:
    """What is known; what nobody could tell is left out."""
    st.subheader("How the process ended", anchor=False)
    facts = {
        "Ended by": end.signal or ("failtrace, at the deadline" if at_deadline else None),
        "Exit code": None if end.exit_code is None else str(end.exit_code),
        "Out of memory": {True: "yes", False: "no", None: None}[end.out_of_memory],
        "Core dumped": "yes" if end.core_dumped else None,
        "Peak memory": None if end.peak_rss_bytes is None else size(end.peak_rss_bytes),
    }
    known = {label: value for label, value in facts.items() if value is not None}
    for column, (label, value) in zip(st.columns(max(4, len(known))), known.items(), strict=False):
        column.caption(label)
        column.text(value)


def _say_if_cut(count: int) -> None:
    if count > _SHOWN_ROWS:
        st.caption(f"The first {_SHOWN_ROWS} of {count:,}; the record holds all.")

"""A run against an earlier one: newly failing, fixed, still failing."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Compared, ComparedRow, ExecutionRow, RunRow
from failtrace.ui.notices import ask
from failtrace.ui.run_list import execution_list, few
from failtrace.ui.url_state import RunAddress
from failtrace.ui.wording import percent, plural
from failtrace.wording import ago

_LOOKED_AT: Final = 50
"""Newest runs that are offered to compare with."""
_SHOWN: Final = 50


def show_comparison(mirror: Mirror, row: RunRow) -> None:
    """Choose an earlier run, the last one of the same subjects at first, and see what became of each input."""
    earlier = [
        run
        for run in ask(mirror.runs, limit=_LOOKED_AT).rows
        if run.started_at < row.started_at and set(run.subjects) & set(row.subjects) and run.executions
    ]
    if not earlier:
        return
    against = _choose(earlier, row)
    found = ask(mirror.compare_runs, against, row.run_id, limit=_SHOWN)
    with st.container(horizontal=True):
        st.metric("Newly failing", f"{found.newly_failing.total:,}", border=True)
        st.metric("Fixed", f"{found.fixed.total:,}", border=True)
        st.metric("Still failing", f"{found.still_failing.total:,}", border=True)
        st.metric("Passing in both", f"{found.passing_both:,}", border=True)
    _show("Newly failing", found.newly_failing, "newly")
    _show("Fixed", found.fixed, "fixed")
    _show("Still failing", found.still_failing, "still")
    alone = [
        f"{plural(count, 'input')} only in {words} run"
        for count, words in ((found.only_before, "the earlier"), (found.only_after, "this"))
        if count
    ]
    if alone:
        st.caption(", ".join(alone) + ".")


def _choose(earlier: Sequence[RunRow], row: RunRow) -> str:
    runs = {run.run_id: run for run in earlier}
    asked = RunAddress.read(st.query_params).against
    same = [run.run_id for run in earlier if run.subjects == row.subjects]
    first = asked if asked in runs else next(iter(same), earlier[0].run_id)
    chosen = st.selectbox(
        "Compare with an earlier run",
        list(runs),
        index=list(runs).index(first),
        format_func=lambda run_id: _told(runs[run_id]),
        key=f"against-{row.run_id}",
    )
    chosen = chosen or first
    if chosen != asked and (asked or chosen != first):
        st.query_params["against"] = chosen
    return chosen


def _told(run: RunRow) -> str:
    rate = percent(run.failed / run.executions) if run.executions else "nothing ran"
    return f"{ago(run.started_at)} ago: {few(run.subjects)}, {plural(run.executions, 'execution')}, {rate} failed"


def _show(words: str, found: Compared, key: str) -> None:
    if not found.total:
        return
    st.markdown(f"**{words}**")
    execution_list([_of_interest(row) for row in found.rows], key=f"compared-{key}")
    if found.total > len(found.rows):
        st.caption(f"The first {len(found.rows):,} of {found.total:,}.")


def _of_interest(row: ComparedRow) -> ExecutionRow:
    """The failing execution of a pair: that of this run where both failed."""
    return row.after if row.after.failure_id else row.before

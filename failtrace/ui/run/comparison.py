"""A run against an earlier one: newly failing, fixed, still failing."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Compared, ComparedRow, ExecutionRow, RunRow
from failtrace.ui.bound import publish, seed
from failtrace.ui.notices import ask
from failtrace.ui.run.lists import execution_list, few
from failtrace.ui.url_state import RunAddress
from failtrace.ui.wording import plural
from failtrace.wording import ago

_PAGE: Final = 100
_MOST_PAGES: Final = 10
"""So many runs back are looked through, by pages of _PAGE."""
_OFFERED: Final = 50
_SHOWN: Final = 50


def show_comparison(mirror: Mirror, row: RunRow) -> None:
    """Choose an earlier run, the last one of the same subjects at first, and see what became of each input."""
    said = RunAddress.read(st.query_params).against
    offered = earlier_runs(mirror, row)
    named = ask(mirror.run, said) if said and said != row.run_id else None
    if named is not None and named.run_id not in [run.run_id for run in offered]:
        offered = [named, *offered]
    if not offered:
        if said:
            st.caption("The run to compare with is not there, and no earlier run shares a subject with this one.")
        return
    st.subheader("Compared with an earlier run", anchor=False)
    if said and named is None:
        st.caption("The run in the address is not there; this is the one before.")
    against = _choose(offered, row, named)
    _show_classes(mirror, against, row.run_id)


def earlier_runs(mirror: Mirror, row: RunRow) -> list[RunRow]:
    """Runs before this one that share a subject with it, those of the same subjects first, then the newest."""
    found: list[RunRow] = []
    after = None
    for _ in range(_MOST_PAGES):
        page = ask(mirror.runs, limit=_PAGE, after=after)
        found += [run for run in page.rows if _comes_before(run, row)]
        after = page.after
        if after is None or len(found) >= _OFFERED:
            break
    return sorted(found[:_OFFERED], key=lambda run: set(run.subjects) != set(row.subjects))


def _comes_before(run: RunRow, row: RunRow) -> bool:
    return run.started_at < row.started_at and run.executions > 0 and not set(run.subjects).isdisjoint(row.subjects)


def _choose(offered: Sequence[RunRow], row: RunRow, named: RunRow | None) -> str:
    runs = {run.run_id: run for run in offered}
    first = next(iter(runs))
    key = f"against-{row.run_id}"
    seed(key, named.run_id if named else first)
    chosen: str = st.selectbox(
        "Compare with",
        list(runs),
        format_func=lambda run_id: _told(runs[run_id]),
        key=key,
        label_visibility="collapsed",
    )
    publish(key, "against", chosen, [chosen])
    return chosen


def _told(run: RunRow) -> str:
    failed = f"{run.failed:,} of {plural(run.executions, 'execution')} failed"
    return f"{ago(run.started_at)} ago · {few(run.subjects)} · {failed}"


def _show_classes(mirror: Mirror, before: str, after: str) -> None:
    found = ask(mirror.compare_runs, before, after, limit=_SHOWN)
    if not (found.passing_both or found.newly_failing.total or found.fixed.total or found.still_failing.total):
        st.caption("The two have no input in common.")
        return
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

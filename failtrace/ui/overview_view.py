"""The overview's parts, from what the mirror has counted: numbers, charts, and what there is to say without them."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Overview
from failtrace.ui import bootstrap, charts
from failtrace.ui.figures import figures
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import ask, empty
from failtrace.ui.refresh import EVERY_S, latest
from failtrace.ui.scope import Counted, Scope, count
from failtrace.ui.url_state import TimeRange
from failtrace.ui.wording import plural

_NEWEST: Final = 10
_MOST_SUBJECTS: Final = 12


@st.fragment(run_every=EVERY_S)
def show_numbers(mirror: Mirror, chosen: TimeRange, subjects: tuple[str, ...], known: Sequence[str]) -> None:
    """All that is counted; while the page is open, with what is written meanwhile. The filters above are not touched."""
    counted = ask(latest, "overview-latest", mirror, count, chosen, subjects, _NEWEST)
    overview, scope = counted.overview, counted.scope
    if not {subject for subject, _, _ in overview.by_subject}.issubset(known):
        st.rerun()  # a subject that is new: the filter must offer it
    if not overview.executions:
        _say_nothing_ran(ever=bool(known), narrowed=bool(subjects))
        return
    _show_figures(overview)
    if overview.failures:
        _show_charts(overview, scope)
        _show_newest(counted)
    else:
        empty("No failures", "Every execution in this time passed.", ":material/check_circle:")
        _show_slowest(overview, scope)


def _say_nothing_ran(*, ever: bool, narrowed: bool) -> None:
    if not ever:
        empty("Nothing has run yet", "Run the registered subjects; what fails shows up here.")
    else:
        instead = "more subjects" if narrowed else "run something"
        empty("Nothing ran in this time", f"Choose a longer range above, or {instead}.")
    bootstrap.link_to("run", "Run subjects")


def _show_figures(overview: Overview) -> None:
    with st.container(horizontal=True, gap="small"):
        for figure in figures(overview):
            st.metric(
                figure.label,
                figure.value,
                figure.change,
                delta_color=figure.colour,
                delta_arrow=figure.arrow,
                border=True,
            )
    if overview.previous and overview.previous.executions:
        unit = f"{overview.bucket}s"
        st.caption(f"Counted by whole {unit} (UTC), against as many {unit} before. Durations are right to a tenth.")


def _show_charts(overview: Overview, scope: Scope) -> None:
    times, types = st.columns([3, 2])
    with times.container(border=True, height="stretch"):
        st.subheader(charts.time_heading(overview, scope), anchor=False)
        charts.over_time(overview, scope, key="over-time")
    with types.container(border=True, height="stretch"):
        st.subheader("Failures by type", anchor=False)
        charts.by_type(overview, scope, key="by-type")
    subjects, slowest = st.columns(2)
    with subjects:
        _show_subjects(overview, scope)
    with slowest:
        _show_slowest(overview, scope)


def _show_subjects(overview: Overview, scope: Scope) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Subjects that fail most", anchor=False)
        charts.by_subject(overview, scope, _MOST_SUBJECTS, key="by-subject")
        hidden = charts.failing_subjects(overview) - _MOST_SUBJECTS
        if hidden > 0:
            st.caption(f"{plural(hidden, 'more subject fails', 'more subjects fail')}, none of them more often.")


def _show_slowest(overview: Overview, scope: Scope) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Slowest subjects", anchor=False)
        charts.slowest(overview, scope, key="slowest")


def _show_newest(counted: Counted) -> None:
    st.subheader("Newest failures", anchor=False)
    failure_list(counted.newest.rows, key="newest")
    if counted.newest.total > len(counted.newest.rows):
        words = f"All {counted.newest.total:,} failures"
        bootstrap.link_to("failures", words, **counted.scope.address.params)  # type: ignore[arg-type]

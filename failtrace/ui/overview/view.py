"""The overview's parts, from what the mirror has counted: numbers, charts, and what there is to say without them."""

from typing import Final

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Overview
from failtrace.ui import bootstrap
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import ask, empty
from failtrace.ui.overview import charts
from failtrace.ui.overview.figures import figures
from failtrace.ui.overview.scope import Scope
from failtrace.ui.wording import plural

_NEWEST: Final = 10
_MOST_SUBJECTS: Final = 12


def say_nothing_ran(*, ever: bool, narrowed: bool) -> None:
    """In place of all numbers: why there are none, and a way on."""
    if not ever:
        empty("Nothing has run yet", "Run the registered subjects; what fails shows up here.")
    elif narrowed:
        empty("Nothing ran in this time", "Choose a longer range above, or more subjects.")
    else:
        empty("Nothing ran in this time", "Choose a longer range above, or run something.")
    bootstrap.link_to("run", "Run subjects")


def show_figures(overview: Overview) -> None:
    """The five numbers, and what their changes are measured against."""
    with st.container(horizontal=True, gap="small"):
        for figure in figures(overview):
            st.metric(
                figure.label,
                figure.value,
                figure.change,
                delta_color=figure.colour,
                delta_arrow=figure.arrow,
                help=figure.help,
                border=True,
            )
    if said := _how_counted(overview):
        st.caption(said)


def show_charts(overview: Overview, scope: Scope) -> None:
    """Every chart; where nothing failed, how long it took is all there is to see."""
    if not overview.failures:
        empty("No failures", "Every execution in this time passed.", ":material/check_circle:")
        _show_slowest(overview, scope)
        return
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


def show_newest(mirror: Mirror, scope: Scope) -> None:
    """The newest failures, and the way to all."""
    newest = ask(mirror.failures, scope.filter, limit=_NEWEST)
    st.subheader("Newest failures", anchor=False)
    failure_list(newest.rows, key="newest")
    if newest.total > len(newest.rows):
        bootstrap.link_to("failures", f"All {newest.total:,} failures", **scope.address.params)  # type: ignore[arg-type]


def _how_counted(overview: Overview) -> str:
    said = []
    if overview.previous and overview.previous.executions:
        unit = f"{overview.bucket}s"
        said.append(f"Counted by whole {unit} (UTC), against as many {unit} before.")
    if overview.durations and not overview.durations.exact:
        said.append("Durations with ≈ are right to a tenth.")
    return " ".join(said)


def _show_subjects(overview: Overview, scope: Scope) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Subjects that fail most", anchor=False)
        charts.by_subject(overview, scope, _MOST_SUBJECTS, key="by-subject")
        hidden = charts.failing_subjects(overview) - _MOST_SUBJECTS
        if hidden > 0:
            label = f"{plural(hidden, 'more subject fails', 'more subjects fail')}, none of them more often"
            bootstrap.link_to("failures", label, **scope.address.params)  # type: ignore[arg-type]


def _show_slowest(overview: Overview, scope: Scope) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Slowest subjects", anchor=False)
        charts.slowest(overview, scope, key="slowest")

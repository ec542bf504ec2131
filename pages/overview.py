"""Overview: how much ran, how much failed, and how."""

import streamlit as st

from failtrace.mirror.views import FailureFilter
from failtrace.ui import bootstrap, charts
from failtrace.ui.filters import heading_with_range
from failtrace.ui.lists import failure_list
from failtrace.ui.notices import ask, empty
from failtrace.ui.theme import ink
from failtrace.ui.url_state import TimeRange, now
from failtrace.ui.wording import percent, plural

NEWEST = 10
MOST_SUBJECTS = 8
REFRESH_S = 5

bootstrap.page("overview")
mirror = bootstrap.services().store.mirror

chosen = heading_with_range("Overview", TimeRange.WEEK)


@st.fragment(run_every=REFRESH_S)
def numbers() -> None:
    until = now()
    since = chosen.since(until)
    overview = ask(mirror.overview, since, until, ())
    if not overview.executions:
        if ask(mirror.subjects):
            empty("Nothing ran in this time", "Choose a longer range above, or run something.")
        else:
            empty("Nothing has run yet", "Run the registered subjects; what fails shows up here.")
        bootstrap.link_to("run", "Run subjects")
        return

    executions, failures, rate = st.columns(3)
    executions.metric("Executions", f"{overview.executions:,}", border=True)
    failures.metric("Failures", f"{overview.failures:,}", border=True)
    rate.metric("Failure rate", percent(overview.failure_rate), border=True)
    if not overview.failures:
        empty("No failures", "Every execution in this time passed.", ":material/check_circle:")
        return

    types, times = st.columns([2, 3])
    with types.container(border=True):
        st.subheader("Failures by type", anchor=False)
        st.altair_chart(charts.by_type(overview, ink()), alt=charts.in_words(overview))
    with times.container(border=True):
        st.subheader(f"Failures by {overview.bucket}", anchor=False)
        st.altair_chart(charts.over_time(overview, since, until), alt="Failures over time, stacked by type.")
    with st.container(border=True):
        st.subheader("Subjects that fail most", anchor=False)
        st.altair_chart(charts.by_subject(overview, MOST_SUBJECTS, ink()), alt="Failures by subject and type.")
        hidden = charts.failing_subjects(overview) - MOST_SUBJECTS
        if hidden > 0:
            st.caption(f"{plural(hidden, 'more subject fails', 'more subjects fail')}, none of them more often.")

    st.subheader("Newest failures", anchor=False)
    newest = ask(mirror.failures, FailureFilter(since=since, until=until), limit=NEWEST)
    failure_list(newest.rows, key="newest")


numbers()

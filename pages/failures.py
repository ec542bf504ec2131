"""Failures: find one among many, and take some along."""

import streamlit as st

from failtrace.mirror.views import FailureFilter
from failtrace.ui import bootstrap
from failtrace.ui.export import show_export
from failtrace.ui.filters import failure_filters
from failtrace.ui.heading import heading_with_range
from failtrace.ui.lists import failure_choice
from failtrace.ui.notices import ask, empty
from failtrace.ui.stretch import pager, stretch, tell_new
from failtrace.ui.url_state import TimeRange

bootstrap.page("failures")
mirror = bootstrap.services().store.mirror

span = heading_with_range("Failures", TimeRange.ALL)
address = failure_filters(ask(mirror.subjects), span)
shown = ask(stretch, mirror, address, fresh=False)
tell_new(mirror, shown)

if shown.page.rows:
    picked = failure_choice(shown.page.rows, address, key="failures", total=shown.page.total)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(shown.words)
        pager(shown, key="failures")
    show_export(mirror, shown, picked)
elif address.params:
    total = ask(mirror.failures, FailureFilter(), limit=1).total
    empty("No failure matches", f"0 of {total:,} failures. Take a filter away, or look further back.")
    bootstrap.link_to("failures", "All failures")
else:
    empty("No failures yet", "Run subjects; whatever fails is listed here.")
    bootstrap.link_to("run", "Run subjects")

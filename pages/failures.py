"""Failures: find one among many, and take some along."""

import streamlit as st

from failtrace.mirror.views import FailureFilter
from failtrace.ui import bootstrap
from failtrace.ui.failures.export import show_export
from failtrace.ui.failures.filters import failure_filters
from failtrace.ui.failures.stretch import pager, stretch, tell_new
from failtrace.ui.heading import heading_with_range
from failtrace.ui.lists import failure_choice
from failtrace.ui.notices import ask, empty
from failtrace.ui.url_state import TimeRange

LIST = "failures"

bootstrap.page("failures")
mirror = bootstrap.services().store.mirror

span = heading_with_range("Failures", TimeRange.ALL)
address = failure_filters(ask(mirror.subjects), span)
# Streamlit forgets the list when the reader goes to another page: who comes back sees what there is by then.
shown = ask(stretch, mirror, address, fresh=LIST not in st.session_state)
bar = st.container(horizontal=True, vertical_alignment="center", gap="small")

if shown.page.rows:
    picked = failure_choice(shown.page.rows, address, key=LIST, total=shown.page.total)
    with bar:
        st.caption(shown.words, width="content")
        tell_new(mirror, shown)
        st.space("stretch")
        show_export(mirror, shown, picked)
        pager(shown, key="failures")
    pager(shown, key="failures-end")
else:
    tell_new(mirror, shown)
    if address.params:
        total = ask(mirror.failures, FailureFilter(), limit=1).total
        empty("No failure matches", f"0 of {total:,} failures. Take a filter away, or look further back.")
        bootstrap.link_to("failures", "All failures")
    else:
        empty("No failures yet", "Run subjects; whatever fails is listed here.")
        bootstrap.link_to("run", "Run subjects")

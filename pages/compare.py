"""Compare: two records side by side, a failure and a passing execution of the same subject unless said otherwise."""

import streamlit as st

from failtrace.ui import bootstrap
from failtrace.ui.compare.choice import boxes, other_executions, records_of, tell_twin
from failtrace.ui.compare.view import show_heads, show_pairs, show_records
from failtrace.ui.notices import empty

bootstrap.page("compare")
store = bootstrap.services().store

st.title("Compare", anchor=False)
address = boxes(store.mirror)

if not address.left:
    empty("Compare two executions", "Paste two ids above, or open a failure and choose to compare it.")
    bootstrap.link_to("failures", "All failures")
    st.stop()

tell_twin(store.mirror, address)
left, right = records_of(store, address)
bootstrap.name_tab(f"{left.subject.name}, compared")
show_heads(left, right)
other_executions(store.mirror, left, right)
show_pairs(left, right)
show_records(left, right)

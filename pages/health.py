"""Health: whether everything is well, and what to do where it is not."""

import streamlit as st

from failtrace.health import examine
from failtrace.ui import bootstrap
from failtrace.ui.health.audit import show_audit
from failtrace.ui.health.delivery import show_dead_letters, show_delivery, show_unreadable
from failtrace.ui.health.hostile import show_hostile
from failtrace.ui.health.view import show_findings

REFRESH_S = 5

bootstrap.page("health")
services = bootstrap.services()
store = services.store

st.title("Health", anchor=False)

if store.backend.remote:

    @st.fragment(run_every=REFRESH_S)
    def delivery() -> None:
        show_delivery(store)

    delivery()
    show_dead_letters(store)
    show_unreadable(store)

st.subheader("This installation", anchor=False)
with st.spinner("Looking at everything once …"):
    show_findings(tuple(examine()))
st.button("Look again", icon=":material/refresh:")

show_hostile(services.settings.home, store.mirror)
show_audit(store.mirror)

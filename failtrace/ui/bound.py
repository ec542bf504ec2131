"""Widgets that stand in the address: the address says what they show, and they say what stands in the address.

Streamlit's own binding (`bind="query-params"`) writes labels where we have words of a contract, takes its parameters
out of the address of the page that is gone to, and lets what a widget said on an earlier visit win over a new link.
"""

from collections.abc import Sequence

import streamlit as st


def seed(key: str, said: object) -> None:
    """Give a widget what the address says: on arrival, and when the address changed without it (Back, a link)."""
    if key not in st.session_state or st.session_state.get(f"{key}-said") != said:
        st.session_state[key] = said
        st.session_state[f"{key}-said"] = said


def publish(key: str, name: str, chosen: object, values: Sequence[str]) -> None:
    """Write what was chosen into the address under `name`, where it is news; nothing for a default."""
    if chosen == st.session_state.get(f"{key}-said"):
        return
    st.session_state[f"{key}-said"] = chosen
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)

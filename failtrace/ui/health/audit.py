"""The last deeds of the audit. Names and details are others' words: a grid of data renders no markup."""

import pandas as pd
import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.ui.notices import ask

_SHOWN = 20


def show_audit(mirror: Mirror) -> None:
    """Who did what, newest first."""
    rows, total = ask(mirror.audit, _SHOWN)
    st.subheader("Who did what", anchor=False)
    if not rows:
        st.caption("Nobody has started, cancelled or exported anything yet.")
        return
    table = [
        {"When": f"{row.at:%Y-%m-%d %H:%M:%S} UTC", "Who": row.who, "Deed": row.deed, "Detail": row.detail}
        for row in rows
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, alt="The newest entries of the audit")
    if total > len(rows):
        st.caption(f"The newest {len(rows):,} of {total:,}; `failtrace audit` shows more.")

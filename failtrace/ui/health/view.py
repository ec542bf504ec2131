"""The findings of an examination, each with its mark and what to do."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.health import Finding, State

_MARKS: Final[dict[State, str]] = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "failed": ":red[:material/error:]",
}
_WORDS: Final[dict[State, str]] = {"ok": "well", "warning": "look at this", "failed": "not well"}


def show_findings(findings: Sequence[Finding]) -> None:
    """Those that are not well first; a detail may hold a subject's words, so it goes through st.text."""
    for finding in sorted(findings, key=lambda finding: list(_MARKS).index(finding.state), reverse=True):
        # On a narrow page the detail comes below its name, and close to it.
        name, detail = st.columns([4, 11], gap="xxsmall", vertical_alignment="center")
        name.markdown(f"{_MARKS[finding.state]} **{finding.check}** · {_WORDS[finding.state]}")
        detail.text(finding.detail)

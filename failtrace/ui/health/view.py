"""The findings of an examination, each with its mark and what to do."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.health import Finding, State

_MARKS: Final[dict[State, str]] = {
    "ok": ":green[:material/check_circle:] Well",
    "warning": ":orange[:material/warning:] Look at this",
    "failed": ":red[:material/error:] Not well",
}


def show_findings(findings: Sequence[Finding]) -> None:
    """Those that are not well first; a detail may hold a subject's words, so it goes through st.text."""
    for finding in sorted(findings, key=lambda finding: list(_MARKS).index(finding.state), reverse=True):
        mark, name, detail = st.columns([2, 2, 11], vertical_alignment="center")
        mark.markdown(_MARKS[finding.state])
        name.text(finding.check)
        detail.text(finding.detail)

"""A page that follows the mirror: drawn again when something was written, and left alone while nothing is."""

from typing import Final, TypeAlias

import streamlit as st

from failtrace.errors import FailtraceError
from failtrace.mirror.mirror import Mirror
from failtrace.ui.url_state import now

EVERY_S: Final = 2
"""Seconds between two looks: a new failure shows within five."""

_Seen: TypeAlias = tuple[int | None, int]


def follow(mirror: Mirror) -> None:
    """Run this page again when the mirror has changed, or a minute has passed: ages and ranges move on by themselves.

    Call it before the page's first question. What is unchanged draws nothing, and costs one number of the mirror.
    """
    _look(mirror, _seen(mirror))


@st.fragment(run_every=EVERY_S)
def _look(mirror: Mirror, drawn: _Seen) -> None:
    if _seen(mirror) != drawn:
        st.rerun()


def _seen(mirror: Mirror) -> _Seen:
    """What the page was drawn from. A mirror that cannot answer is a state too: the page says so, or is back."""
    try:
        version = mirror.data_version()
    except FailtraceError:
        version = None
    return version, int(now().timestamp() // 60)

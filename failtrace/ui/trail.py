"""Newer and older pages of a list that is paged by key: the cursors a reader has walked so far."""

from collections.abc import Hashable
from typing import Any

import streamlit as st

from failtrace.mirror.views import Page
from failtrace.ui.wording import stretch_of


class Trail:
    """Where a reader stands in a list; it begins anew when the question does."""

    def __init__(self, key: str, size: int, question: Hashable = None) -> None:
        self._key = f"{key}-trail"
        self._size = size
        self._question = question
        kept = st.session_state.get(self._key)
        self._cursors: tuple[str, ...] = kept[1] if kept and kept[0] == question else ()

    @property
    def after(self) -> str | None:
        """The cursor to ask the next stretch with."""
        return self._cursors[-1] if self._cursors else None

    def controls(self, page: Page[Any]) -> None:
        """Which rows of how many these are, and the ways to newer and older, where there are any."""
        first = len(self._cursors) * self._size + 1
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if page.rows:
                st.caption(stretch_of(first, len(page.rows), page.total))
            else:
                st.caption(f"Nothing further back; {page.total:,} in all.")
            if not self._cursors and page.after is None:
                return
            with st.container(horizontal=True, width="content"):
                self._button("Newer", self._cursors[:-1], ":material/chevron_left:", disabled=not self._cursors)
                older = (*self._cursors, page.after or "")
                self._button("Older", older, ":material/chevron_right:", disabled=page.after is None)

    def _button(self, label: str, cursors: tuple[str, ...], icon: str, *, disabled: bool) -> None:
        key = f"{self._key}-{label}"
        st.button(label, icon=icon, disabled=disabled, key=key, on_click=self._walk, args=(cursors,))

    def _walk(self, cursors: tuple[str, ...]) -> None:
        st.session_state[self._key] = (self._question, cursors)

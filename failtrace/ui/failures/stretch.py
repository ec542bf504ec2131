"""A stretch of the failures: asked for once, and left alone while somebody reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from failtrace.errors import InputError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow, FailureFilter, Page, Sort
from failtrace.ui.notices import ask
from failtrace.ui.url_state import FailuresAddress, ListPlace, now
from failtrace.ui.wording import plural, stretch_of

PAGE_SIZE: Final = 50
LOOK_S: Final = 3
"""Seconds between two looks for new failures."""
_KEPT: Final = "failures-stretch"
_BACKWARDS: Final[dict[Sort, Sort]] = {
    "newest": "oldest",
    "oldest": "newest",
    "longest": "shortest",
    "shortest": "longest",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of a list that follow each other, and where they stand in it."""

    address: FailuresAddress
    place: ListPlace
    moment: datetime
    """When it was asked for: where its time range ends."""
    version: int
    """Of the mirror, then."""
    page: Page[ExecutionRow]
    earlier: str
    """The cursor of the stretch before; empty where that is the beginning of the list."""

    @property
    def filter(self) -> FailureFilter:
        """The question to the mirror that it answers."""
        return self.address.filter(self.moment)

    @property
    def before(self) -> int:
        """How many rows of the list are before it."""
        if not self.place.after:
            return 0
        counted = self.page.total - self.place.rows if self.address.sort == "newest" else self.place.rows
        return max(0, min(counted, self.page.total - len(self.page.rows)))

    @property
    def words(self) -> str:
        """Which rows of how many these are."""
        return stretch_of(self.before + 1, len(self.page.rows), self.page.total)

    def place_of(self, after: str, before: int) -> ListPlace:
        """The place of another stretch, which has so many rows before it."""
        rows = self.page.total - before if self.address.sort == "newest" else before
        return ListPlace(after, max(0, rows))


def stretch(mirror: Mirror, address: FailuresAddress, *, fresh: bool) -> Stretch:
    """What the page's address asks for: as it was shown before, unless it is to be `fresh` or the address changed.

    Raises StoreError where the mirror cannot answer.
    """
    place = ListPlace.read(st.query_params, address)
    asked, kept = st.session_state.get(_KEPT, (None, None))
    if not fresh and isinstance(kept, Stretch) and asked == (address, place):
        return kept
    shown = _asked(mirror, address, place)
    st.session_state[_KEPT] = (address, place), shown
    return shown


def renew() -> None:
    """Show the list anew, from its beginning."""
    st.session_state.pop(_KEPT, None)
    if "place" in st.query_params:
        del st.query_params["place"]


@st.fragment(run_every=LOOK_S)
def tell_new(mirror: Mirror, shown: Stretch) -> None:
    """Look for failures that came since; say how many rather than move rows under the reader."""
    if ask(mirror.data_version) == shown.version:
        return
    more = ask(mirror.failures, shown.filter, limit=1).total - shown.page.total
    if more <= 0:
        return
    if not shown.page.rows or st.button(
        f"{plural(more, 'new failure')} · show", icon=":material/arrow_upward:", type="primary", key="failures-new"
    ):
        renew()
        st.rerun()


def pager(shown: Stretch, *, key: str) -> None:
    """The ways to the stretches before and after."""
    back, on = ("Newer", "Older") if shown.address.sort == "newest" else ("Previous", "Next")
    if not shown.place.after and shown.page.after is None:
        return
    earlier = shown.place_of(shown.earlier, shown.before - PAGE_SIZE)
    later = shown.place_of(shown.page.after or "", shown.before + len(shown.page.rows))
    with st.container(horizontal=True, width="content", gap="xsmall"):
        _way(f"{key}-Newer", back, ":material/chevron_left:", shown, earlier, is_open=bool(shown.place.after))
        _way(f"{key}-Older", on, ":material/chevron_right:", shown, later, is_open=shown.page.after is not None)


def _way(key: str, label: str, icon: str, shown: Stretch, place: ListPlace, *, is_open: bool) -> None:
    st.button(label, icon=icon, disabled=not is_open, key=key, on_click=_go, args=(place.spelt(shown.address),))


def _go(place: str) -> None:
    if place:
        st.query_params["place"] = place
    else:
        renew()


def _asked(mirror: Mirror, address: FailuresAddress, place: ListPlace) -> Stretch:
    moment, version = now(), mirror.data_version()
    wanted = address.filter(moment)

    def page(after: str, sort: Sort) -> Page[ExecutionRow]:
        return mirror.failures(wanted, limit=PAGE_SIZE, after=after or None, sort=sort)

    if place.after:
        try:
            found = page(place.after, address.sort)
            # Read backwards from where it begins, the next stretch would begin where the one before it does.
            earlier = page(place.after, _BACKWARDS[address.sort]).after or ""
        except InputError:
            found = None
        if found and found.rows:
            return Stretch(address, place, moment, version, found, earlier)
    return Stretch(address, ListPlace(), moment, version, page("", address.sort), "")

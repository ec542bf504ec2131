"""Our own components: a header, a list of links, chips. Plain JavaScript, constant; data goes beside it.

They set text by textContent alone, so that what a subject wrote stays text.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

MOST_PICKED: Final = 1000
"""Rows that can be selected one by one; list.js knows it too."""

_ASSETS: Final = Path(__file__).parent / "assets"

ColumnKind = Literal["text", "strong", "message", "code", "number", "time", "badge"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list; `kind` says how its cells are drawn, `hide` leaves it out of a narrow page."""

    key: str
    label: str
    kind: ColumnKind = "text"
    width: str = "minmax(0, 1fr)"
    """A CSS grid track."""
    hide: bool = False


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row: its id, where it leads, if anywhere, and its cells by column key.

    Times are ISO 8601, badges a kind's key.
    """

    id: str
    href: str
    cells: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Picked:
    """Which rows of a list are selected."""

    ids: tuple[str, ...] = ()
    everything: bool = False
    """Whether all that match are, those on other pages too."""


@dataclass(frozen=True, slots=True)
class Chip:
    """Something a list is narrowed to; `href` leads to the list without it. A time has bounds for a value."""

    name: str
    href: str
    value: str = ""
    kind: Literal["text", "code", "time"] = "text"
    since: str = ""
    """ISO 8601, as `until` is."""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value under a header."""

    label: str
    value: str
    kind: Literal["", "mono", "time"] = ""
    copy: str = ""
    """What a Copy button beside it puts on the clipboard."""
    href: str = ""


def component(name: str, html: str) -> ComponentRenderer:
    """The component of assets/NAME.js and NAME.css, after what all of them share; `html` is its constant frame."""

    def both(suffix: str) -> str:
        files = [_ASSETS / f"{part}.{suffix}" for part in ("common", name)]
        return "\n".join(file.read_text(encoding="utf-8") for file in files)

    return st.components.v2.component(f"failtrace.{name}", html=html, css=both("css"), js=both("js"))


_list = component("list", '<div class="list"></div>')
_chips = component("chips", '<div class="chips"></div>')
_header = component("header", '<div class="header"></div>')


def link_list(columns: Sequence[Column], rows: Sequence[ListRow], *, key: str) -> None:
    """Draw the rows, each a link: a click opens it in place, with Ctrl or the middle button in a new tab."""
    _list(key=key, data={"columns": [asdict(column) for column in columns], "rows": [asdict(row) for row in rows]})


def pick_list(
    columns: Sequence[Column], rows: Sequence[ListRow], *, key: str, picked: Picked, question: str, total: int
) -> Picked:
    """As `link_list`, with a box before each row to select it; gives what is selected now.

    What was picked holds as long as `question` stays, of which the rows are a page, and `total` are all.
    """
    data = {
        "columns": [asdict(column) for column in columns],
        "rows": [asdict(row) for row in rows],
        "pick": {"question": question, "total": total} | asdict(picked),
    }
    said = _list(key=key, data=data, on_picked_change=_nothing).get("picked")
    if not isinstance(said, dict) or said.get("question") != question or not isinstance(said.get("ids"), list):
        return picked
    ids = [text for text in said["ids"][:MOST_PICKED] if isinstance(text, str)]
    return Picked(tuple(ids), everything=said.get("everything") is True)


def chips(items: Sequence[Chip], *, key: str) -> None:
    """Draw what a list is narrowed to, each a link that takes it away."""
    _chips(key=key, data={"chips": [asdict(item) for item in items]})


def header(title: str, facts: Sequence[Fact], *, key: str, badge: str = "", text: str = "") -> None:
    """Draw the head of a record or a run; `badge` is a kind's key or a run's state."""
    data = {"badge": badge, "title": title, "text": text, "facts": [asdict(fact) for fact in facts]}
    _header(key=key, data=data)


def _nothing() -> None:
    """Streamlit hands a value back only for a name that has a callback."""

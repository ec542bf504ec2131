"""Our own components: a header, a list of links, a timeline. Plain JavaScript, constant; data goes beside it.

They set text by textContent alone, so that what a subject wrote stays text.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

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
    """A row: its id, where it leads, and its cells by column key. Times are ISO 8601, badges a kind's key."""

    id: str
    href: str
    cells: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value under a header."""

    label: str
    value: str
    kind: Literal["", "mono", "time"] = ""
    copy: str = ""
    """What a Copy button beside it puts on the clipboard."""
    href: str = ""


def _component(name: str, html: str) -> ComponentRenderer:
    def both(suffix: str) -> str:
        files = [_ASSETS / f"{part}.{suffix}" for part in ("common", name)]
        return "\n".join(file.read_text(encoding="utf-8") for file in files)

    return st.components.v2.component(f"failtrace.{name}", html=html, css=both("css"), js=both("js"))


_list = _component("list", '<div class="list" role="list"></div>')
_header = _component("header", '<div class="header"></div>')
_timeline = _component(
    "timeline",
    """<div class="timeline">
      <div class="axis-row"><span>Step</span><span class="axis"></span><span></span><span></span></div>
      <div class="pane" role="tree" tabindex="0" aria-label="Steps of the execution">
        <div class="canvas"></div>
      </div>
    </div>""",
)


def link_list(columns: Sequence[Column], rows: Sequence[ListRow], *, key: str) -> None:
    """Draw the rows, each a link: a click opens it in place, with Ctrl or the middle button in a new tab."""
    _list(key=key, data={"columns": [asdict(column) for column in columns], "rows": [asdict(row) for row in rows]})


def header(title: str, facts: Sequence[Fact], *, key: str, badge: str = "", text: str = "") -> None:
    """Draw the head of a record or a run; `badge` is a kind's key or a run's state."""
    data = {"badge": badge, "title": title, "text": text, "facts": [asdict(fact) for fact in facts]}
    _header(key=key, data=data)


def timeline(data: dict[str, Any], *, key: str) -> str | None:
    """Draw the steps; give the step_id that was chosen, None until one is."""
    chosen = _timeline(key=key, data=data, on_selected_change=_nothing).get("selected")
    return chosen if isinstance(chosen, str) else None


def _nothing() -> None:
    """Streamlit hands a value back only for a name that has a callback."""

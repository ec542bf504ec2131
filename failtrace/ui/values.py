"""Values and texts of a record, shown inert and bounded: the first 64 KB, the rest as a download."""

import json
from typing import Final

import streamlit as st

from failtrace.capture.markers import KEY
from failtrace.contracts import Json
from failtrace.ui.spoken import spoken
from failtrace.ui.wording import size

SHOWN_BYTES: Final = 64 * 1024
NOT_RECORDED: Final = "Not recorded."
"""Of a step's input and output: a step tells them where its author had it do so."""
_SHORT_BYTES: Final = 2000
_SPOKEN_CHARACTERS: Final = 4_000_000
"""Two texts that were cut at the sanitiser's limit, and what goes with them."""


def show_json(value: Json, name: str, *, raw: bool = False, nothing: str = "Nothing.") -> None:
    """A value as text, or as a tree where it is a long object; `name` is ours: of the download and its widget.

    Markers are put into words, unless it is to be `raw`; `nothing` is said where there is no value.
    """
    said = value if raw else _in_words(value)
    if isinstance(said, str):
        show_text(said, name)
    elif said is None:
        st.caption(nothing)
    elif not isinstance(said, dict | list):
        st.code(json.dumps(said), language=None)
    else:
        text = json.dumps(said, ensure_ascii=False, indent=2)
        if len(text.encode()) > SHOWN_BYTES:
            show_text(text, name, suffix="json")
        elif raw or len(text) >= _SHORT_BYTES:
            st.json(said, expanded=len(text) < _SHORT_BYTES or 1)
        else:
            # There is nothing to fold, and a tree breaks its lines within words and numbers. Without a language, for
            # the colours of one are too faint.
            st.code(text, language=None, wrap_lines=True)


def _in_words(value: Json) -> Json:
    """In words where that is quickly done: a marker itself, or a value of at most _SPOKEN_CHARACTERS."""
    if not isinstance(value, dict | list):
        return value
    if isinstance(value, dict) and isinstance(value.get(KEY), str):
        return spoken(value)
    text = json.dumps(value)
    return spoken(value) if KEY in text and len(text) <= _SPOKEN_CHARACTERS else value


def show_text(text: str, name: str, *, suffix: str = "txt", lines: int = 24) -> None:
    """A text as it is, scrolling beyond `lines` lines."""
    if not text:
        st.caption("Empty.")
        return
    body = text.encode()
    shown = text if len(body) <= SHOWN_BYTES else body[:SHOWN_BYTES].decode(errors="ignore")
    long = shown.count("\n") > lines or len(shown) > lines * 160
    st.code(shown, language=None, wrap_lines=True, height=lines * 22 if long else "content")
    if len(body) > SHOWN_BYTES:
        st.caption(f"The first {size(SHOWN_BYTES)} of {size(len(body))}.")
        file_name = f"{name}.{suffix}"
        st.download_button(
            "Download all of it",
            text,
            file_name,
            icon=":material/download:",
            key=f"download-{name}",
            on_click="ignore",
        )

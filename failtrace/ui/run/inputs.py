"""What subjects are to run on: their own examples, what somebody pastes, or a file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from failtrace.ui.run.preview import Preview, preview_lines, preview_pasted
from failtrace.ui.run.request import LONGEST_INPUTS
from failtrace.ui.values import show_text
from failtrace.ui.wording import plural, size

_OWN: Final = "Their own examples"
_PASTED: Final = "Pasted JSON"
_FILE: Final = "A file"
_MEND: Final = "Mend first"
_SKIP: Final = "Skip"
_READ: Final = "run-read"
_LINES: Final = 8
"""Lines of problems in sight; the others are scrolled to."""


@dataclass(frozen=True, slots=True)
class GivenInputs:
    """The inputs as they stand in the form."""

    lines: bytes | None = None
    """JSON Lines; None for the subjects' own examples."""
    count: int = 0
    refusal: str = ""
    """Why nothing can be run on them, ours; empty where it can."""


def ask_for_inputs() -> GivenInputs:
    """Draw the choice, and of what was given a preview and every error by its line."""
    kind = st.segmented_control("Inputs", [_OWN, _PASTED, _FILE], default=_OWN, required=True, key="run-inputs")
    if kind == _PASTED:
        return _pasted()
    return _uploaded() if kind == _FILE else GivenInputs()


def _pasted() -> GivenInputs:
    text = st.text_area(
        "One JSON value, an array with an input for each item, or one JSON value a line",
        key="run-pasted",
        height=140,
        placeholder='{"question": "…"}',
    )
    if not text or not text.strip():
        return GivenInputs(refusal="Paste the inputs above.")
    return _given(text, len(text.encode(errors="surrogatepass")), preview_pasted)


def _uploaded() -> GivenInputs:
    file = st.file_uploader(
        f"JSON Lines, one JSON value a line, up to {LONGEST_INPUTS // 2**20} MB",
        type=["jsonl", "ndjson", "json", "txt"],
        key="run-file",
    )
    if file is None:
        return GivenInputs(refusal="Choose a file above.")
    return _given(file.getvalue(), file.size, preview_lines)


def _given(said: object, length: int, read: Callable[..., Preview]) -> GivenInputs:
    if length > LONGEST_INPUTS:
        return GivenInputs(
            refusal=f"More than {size(LONGEST_INPUTS)}: put it into a file for `failtrace run --inputs`."
        )
    found = _once(said, read)
    skip = _show(found)
    if not found.count:
        return GivenInputs(refusal="There is no input that can be read.")
    if found.bad and not skip:
        return GivenInputs(refusal=f"{plural(found.bad, 'line is', 'lines are')} not JSON: mend or skip.")
    return GivenInputs(found.lines, found.count)


def _once(said: object, read: Callable[..., Preview]) -> Preview:
    """What was read of the same words before: a page is run at every click, and 5 MB take their time."""
    kept = st.session_state.get(_READ)
    if kept is None or kept[0] != said:
        kept = st.session_state[_READ] = (said, read(said))
    found: Preview = kept[1]
    return found


def _show(found: Preview) -> bool:
    """Counts, errors, first inputs; True where the reader leaves the bad lines out."""
    skip = False
    if found.problems:
        st.error(f"{plural(found.bad, 'line is', 'lines are')} not JSON.", icon=":material/error:")
        many = len(found.problems) > _LINES
        st.code("\n".join(found.problems), language=None, wrap_lines=True, height=_LINES * 24 if many else "content")
        if found.bad > len(found.problems):
            st.caption(f"… and {plural(found.bad - len(found.problems), 'more line')}.")
        if found.count:
            # Not a checkbox: Streamlit draws its box in the colour of every border, which is hard to see.
            skip = (
                st.segmented_control(
                    "Lines that are not JSON", [_MEND, _SKIP], default=_MEND, required=True, key="run-skip"
                )
                == _SKIP
            )
    if found.first:
        shown = len(found.first)
        st.caption(f"{plural(found.count, 'input')}" + (f", the first {shown}:" if found.count > shown else ":"))
        show_text("\n".join(found.first), "inputs", lines=12)
    return skip

"""What can be done about a run that has ended: read what its process said, and run it again."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from failtrace.mirror.views import RunRow
from failtrace.services import Services
from failtrace.ui.run.files import RunFiles
from failtrace.ui.run.form import start_and_show, starts
from failtrace.ui.run.lists import few
from failtrace.ui.run.request import RunRequest
from failtrace.ui.values import show_text
from failtrace.ui.visitor import visitor

_LONGEST_NAME: Final = 100


def show_ending(services: Services, row: RunRow) -> None:
    """The button to run it again, and what its process had to say."""
    files = RunFiles(services.settings.home, row.run_id)
    if sentences := files.sentences():
        st.caption("What the run said:")
        show_text("\n".join(sentences), f"log-{row.run_id}", lines=8)
    if visitor().may_run:
        _offer_again(services, row, files)


def _offer_again(services: Services, row: RunRow, files: RunFiles) -> None:
    asked = files.request()
    again = asked or RunRequest(row.subjects)
    registered = {subject.name for subject in services.registry.subjects()}
    gone = [name for name in again.subjects if name not in registered]
    # What it was given on the command line was not kept: its examples are other inputs, and no "again".
    label = "Run again" if asked else f"Run on {'its' if len(again.subjects) == 1 else 'their'} examples"
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"again-{row.run_id}-{starts()}"
        pressed = st.button(label, icon=":material/replay:", key=key, disabled=bool(gone))
        if gone:
            # Names of subjects are not ours.
            st.text(_what_is_missing(gone))
        else:
            st.caption(_what_it_would_do(asked))
    if pressed and not gone:
        start_and_show(services, again)


def _what_is_missing(gone: Sequence[str]) -> str:
    named = few([name[:_LONGEST_NAME] for name in gone])
    verb = "is" if len(gone) == 1 else "are"
    return f"{named} {verb} not registered here; name the module in FAILTRACE_SUBJECTS and start the dashboard again."


def _what_it_would_do(asked: RunRequest | None) -> str:
    if asked is None:
        return "What the run was given is not kept here."
    return "On the same inputs." if asked.inputs is not None else "On the subjects' own examples, as before."

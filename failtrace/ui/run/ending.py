"""What can be done about a run that has ended: read what its process said, and run it again."""

import streamlit as st

from failtrace.mirror.views import RunRow
from failtrace.services import Services
from failtrace.ui.run.files import RunFiles
from failtrace.ui.run.form import start_and_show, starts
from failtrace.ui.run.request import RunRequest
from failtrace.ui.values import show_text
from failtrace.ui.visitor import visitor


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
    gone = {*again.subjects}.difference([subject.name for subject in services.registry.subjects()])
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"again-{row.run_id}-{starts()}"
        pressed = st.button("Run again", icon=":material/replay:", key=key, disabled=bool(gone))
        st.caption(_what_again_means(asked, any_gone=bool(gone)))
    if pressed and not gone:
        start_and_show(services, again)


def _what_again_means(asked: RunRequest | None, *, any_gone: bool) -> str:
    if any_gone:
        return "Not all of its subjects are registered any more."
    if asked is None:
        return "On the subjects' own examples: what it was given was not kept."
    return "On the same inputs." if asked.inputs is not None else "On the subjects' own examples, as before."

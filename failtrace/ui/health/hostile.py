"""What does this installation catch? The last answer, and a button that asks anew."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import streamlit as st

from failtrace.hostile import Caught
from failtrace.hostile_result import HostileResult, last_result
from failtrace.mirror.mirror import Mirror
from failtrace.subjects.hostile import HOSTILE
from failtrace.ui.health.hostile_run import HostileRun
from failtrace.ui.notices import ask, empty, problem
from failtrace.ui.visitor import visitor
from failtrace.wording import ago

_ASK: Final = "hostile"
_REFRESH_S: Final = 1
_ALL: Final = len(HOSTILE) + 2
"""Each subject, and what was beside them: the siblings and the host."""


def show_hostile(home: Path, mirror: Mirror) -> None:
    """How many hostile subjects are caught, which are not, and what was seen of each."""
    st.subheader("What it catches", anchor=False)
    by, run = visitor(), _the_run()
    if by.may_run and st.button(
        "Run the hostile subjects", icon=":material/bug_report:", key=_ASK, disabled=run.underway
    ):
        ask(mirror.note, "ran the hostile subjects", f"{len(HOSTILE)} of them", by.name)
        run.start()
        st.rerun()
    if run.underway:
        _follow(run)
        return
    if run.fault:
        problem("The hostile subjects could not be run.", run.fault)
    result = last_result(home)
    if result is None:
        empty(
            "Nobody has asked yet what this installation catches",
            f"`failtrace doctor --hostile`, or the button above, runs {len(HOSTILE)} hostile subjects (crashes, hangs, "
            "floods, secrets) beside healthy ones, in a process of its own. It takes some seconds and stores nothing.",
            ":material/bug_report:",
        )
        return
    _show(result)


@st.cache_resource(show_spinner=False)
def _the_run() -> HostileRun:
    return HostileRun()


@st.fragment(run_every=_REFRESH_S)
def _follow(run: HostileRun) -> None:
    """How far it is, in the place of the last answer; the whole page again once it has ended."""
    if not run.underway:
        st.rerun()
    st.progress(min(1.0, run.ended / _ALL), f"{run.ended} of {_ALL} have ended")


def _show(result: HostileResult) -> None:
    missed = [caught for caught in result.caught if not caught.caught]
    if missed:
        st.error(f"{len(missed)} of {len(result.caught)} are not caught.", icon=":material/error:")
        _show_each(missed)
    else:
        st.success("Every one is caught, and nothing beside them was touched.", icon=":material/check_circle:")
    st.text(f"Asked {ago(result.ended_at)} ago, with failtrace {result.failtrace} under Python {result.python}.")
    with st.expander("What was seen of each"):
        _show_each(result.caught)


def _show_each(several: Iterable[Caught]) -> None:
    """What was seen holds a subject's words, so it goes through st.text."""
    for caught in several:
        name, seen = st.columns([5, 9], gap="xxsmall", vertical_alignment="center")
        with name.container(horizontal=True, gap="xsmall"):
            st.markdown(_mark(caught), width="content")
            st.text(caught.title, width="content")
        seen.text(f"{caught.told}\n{_took(caught)}")


def _mark(caught: Caught) -> str:
    """The siblings and the host have no limit: nothing is to be caught of them."""
    good, bad = ("Caught", "Not caught") if caught.limit_s is not None else ("Well", "Not well")
    return f":green[:material/check_circle:] {good}" if caught.caught else f":red[:material/error:] {bad}"


def _took(caught: Caught) -> str:
    """In words, for what is ended at its limit takes as long, and then a little: "1.1 s of 1 s" reads like a breach."""
    if caught.limit_s is None:
        return f"Took {caught.elapsed_s:.1f} s."
    over = caught.elapsed_s - caught.limit_s
    if over >= 0:
        return f"Ended {over:.1f} s after its limit of {caught.limit_s:g} s."
    return f"Took {caught.elapsed_s:.1f} s of at most {caught.limit_s:g} s."

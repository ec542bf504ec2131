"""Sentences to the reader. What may hold a subject's words goes through st.text: it renders no markup."""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, ParamSpec, TypeVar

import streamlit as st

from failtrace.capture.redaction import redact_sentence
from failtrace.errors import FailtraceError

RETRY_S: Final = 2
_ASKED: Final = "asked-again"

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def problem(headline: str, detail: str) -> None:
    """Something is wrong. `headline` is ours, a constant; `detail` may quote anything, and is shown as plain text."""
    st.error(headline, icon=":material/error:")
    st.text(redact_sentence(detail))


def no_id(opening: str = "A") -> None:
    """What was given is no id; `opening` begins the sentence, and may say where."""
    problem(
        "This is not a failure_id.",
        f"{opening} failure_id looks like 0193f6c2-7a1b-7c3d-8e4f-0123456789ab, a trace_id has 32 letters and digits.",
    )


def stop_with(headline: str, detail: str) -> NoReturn:
    """Say what is wrong and end the page here."""
    problem(headline, detail)
    st.stop()


def empty(headline: str, todo: str, icon: str = ":material/inbox:") -> None:
    """Nothing to show yet, and what to do about it. Both are ours."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"#### {icon} {headline}", width="content")
        st.caption(todo, width="content", text_alignment="center")
        st.space("small")


def tell_ignored(said: Sequence[str]) -> None:
    """Which parts of the address this page leaves out, where there are any; quoted from it, so plain text."""
    if said:
        st.info("This page ignores what it does not know in its address:", icon=":material/info:")
        st.text(", ".join(said))


def wait_for_answer(detail: str) -> NoReturn:
    """The store has not answered yet: say so, ask again in a moment, and end the page here."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown("#### :material/hourglass_top: Waiting for Cosmos DB", width="content")
        st.text(detail)
        st.space("small")
    _ask_again()
    st.stop()


@st.fragment(run_every=RETRY_S)
def _ask_again() -> None:
    """Run the whole page again, but not at once: the first run of a fragment is the page's own."""
    if st.session_state.get(_ASKED):
        del st.session_state[_ASKED]
        st.rerun()
    st.session_state[_ASKED] = True


def ask(question: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
    """A question to the store; where it cannot answer, one sentence and the end of the page."""
    try:
        return question(*args, **kwargs)
    except FailtraceError as error:
        stop_with("The recorded executions cannot be read.", str(error))

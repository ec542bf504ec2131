"""Answers of the mirror that are looked after while a page is open."""

from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import streamlit as st

from failtrace.mirror.mirror import Mirror
from failtrace.ui.url_state import now

EVERY_S: Final = 3
"""Seconds between two looks: a new failure shows within five."""

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def latest(
    key: str,
    mirror: Mirror,
    question: Callable[Concatenate[Mirror, Arguments], Answer],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Answer:
    """The answer to a question, asked anew when something was written since, and each minute: ranges end now.

    Until then it is the very same, and what is drawn from it again changes nothing in the browser. One answer is
    kept a session and key. Raises StoreError.
    """
    asked = mirror.data_version(), int(now().timestamp() // 60), args, kwargs
    kept: tuple[object, Answer] | None = st.session_state.get(key)
    if kept is None or kept[0] != asked:
        kept = asked, question(mirror, *args, **kwargs)
        st.session_state[key] = kept
    return kept[1]

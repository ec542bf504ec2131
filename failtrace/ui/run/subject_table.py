"""The registered subjects, to be chosen from: what each is, what it is held to, and how it last ended."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from failtrace.cli.subjects import contract_name
from failtrace.mirror.views import ExecutionRow
from failtrace.subjects.subject import Subject
from failtrace.ui.components import component
from failtrace.ui.kinds import kind_of
from failtrace.ui.url_state import FailureAddress

_KEY: Final = "run-subjects"
_CHOSEN: Final = "run-chosen"
_LONGEST: Final = 300

_subjects = component(
    "subjects",
    """<div class="subjects">
      <div class="tools">
        <input class="find" type="search" placeholder="Search subjects" aria-label="Search subjects">
        <span class="told" role="status"></span>
      </div>
      <div class="scroll">
        <table aria-label="Subjects to run">
          <thead><tr>
            <th><input type="checkbox" aria-label="Choose all that are shown"></th>
            <th scope="col">Subject</th><th scope="col" class="wide"
              title="The contract that a subject's output must keep, and whether its claims must have evidence"
            ><span class="meant">Held to</span></th>
            <th scope="col" class="wide">Timeout</th><th scope="col">Last result</th>
          </tr></thead>
          <tbody></tbody>
        </table>
        <p class="none faint" hidden>No subject has these words.</p>
      </div>
    </div>""",
)


def choose_subjects(
    subjects: Sequence[Subject], last: Mapping[str, ExecutionRow], default_timeout_s: float
) -> tuple[str, ...]:
    """Draw them, each with a box; gives the names of those chosen, in the order of the table; all of them at first.

    The choice holds as long as the reader's session, also while another page is open.
    """
    kept = st.session_state.get(_CHOSEN, tuple([subject.name for subject in subjects]))
    rows = [_row(subject, last.get(subject.name), default_timeout_s) for subject in subjects]
    said = _subjects(key=_KEY, data={"subjects": rows, "picked": list(kept)}, on_picked_change=_nothing).get("picked")
    wanted = set(said) if isinstance(said, list) else set(kept)
    chosen = tuple([subject.name for subject in subjects if subject.name in wanted])
    st.session_state[_CHOSEN] = chosen
    return chosen


def held_to(subject: Subject) -> str:
    """`Answer, evidence`: the contract of a subject's output in a few words; `nothing` where it has none."""
    rules = [contract_name(subject.output_model)] if subject.output_model is not None else []
    if subject.evidence is not None:
        rules.append("evidence")
    return ", ".join(rules) or "nothing"


def _row(subject: Subject, result: ExecutionRow | None, default_timeout_s: float) -> dict[str, str]:
    seconds = default_timeout_s if subject.timeout is None else subject.timeout
    row = {
        "name": subject.name,
        "about": subject.description[:_LONGEST],
        "contract": held_to(subject)[:_LONGEST],
        "timeout": f"{seconds:,g} s",
    }
    if result is None:
        return row
    return row | {
        "kind": kind_of(result.failure_type).key,
        "when": result.ended_at.isoformat(),
        "href": FailureAddress(result.failure_id or result.trace_id).link,
    }


def _nothing() -> None:
    """Streamlit hands a value back only for a name that has a callback."""

"""An id out of whatever was pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failtrace.exchange.pasted_id import id_in

FAILURE = "0193f6c2-7a1b-7c3d-8e4f-0123456789ab"
RUN = "0193f6c2-0000-7c3d-8e4f-0123456789ab"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FAILURE, FAILURE),
        (TRACE, TRACE),
        (f"  '{FAILURE.upper()}'\n", FAILURE),
        (f"“{TRACE}”", TRACE),
        (f"http://127.0.0.1:8501/failure?failure_id={FAILURE}&step=00f067aa0ba902b7&list_run_id={RUN}", FAILURE),
        (f"http://h/failure?list_run_id={RUN}&failure_id={FAILURE}", FAILURE),
        (f"http://h/go?to=failure%3Ffailure_id%3D{FAILURE}%26step%3D1", FAILURE),
        (f'{{"trace_id": "{TRACE}", "run_id": "{RUN}", "failure_id": "{FAILURE}"}}', FAILURE),
        (f'{{"run_id": "{RUN}", "trace_id": "{TRACE}", "failure_id": null}}', TRACE),
        (f"2026-03-01 12:00 ERROR run={RUN} failure_id={FAILURE} gone", FAILURE),
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"`failtrace show {FAILURE}`.", FAILURE),
        ("", ""),
        ("../../mirror.sqlite", ""),
        ("'; DROP TABLE execution; --", ""),
        (TRACE + "0", ""),
        (f"x{FAILURE}", ""),
        ("g" * 32, ""),
    ],
)
def test_the_id_is_found_in_what_was_pasted(text: str, found: str) -> None:
    """Spaces, quotes, links and log lines must not stand between a person and a record; what is no id is none."""
    assert id_in(text) == found


@given(st.text(), st.text())
def test_an_id_is_found_whatever_stands_around_it(before: str, after: str) -> None:
    """Any text around an id that stands alone must leave it findable, and never raise."""
    assert id_in(f"{before} failure_id={FAILURE} {after}") == FAILURE

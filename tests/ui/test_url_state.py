from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import NOON

from failtrace.contracts import FailureType
from failtrace.mirror.views import FailureFilter
from failtrace.ui.url_state import FailureAddress, FailuresAddress, RunAddress, TimeRange

ID = "01890000-0000-7000-8000-00000000002a"


@pytest.mark.parametrize(
    "pasted",
    [ID, f"  {ID}\n", f'"{ID}"', f"'{ID.upper()}',", f"http://127.0.0.1:8501/failure?failure_id={ID}", f"see {ID}."],
)
def test_an_id_is_found_in_what_people_paste(pasted: str) -> None:
    """Spaces, quotes, capitals, a whole link or a sentence around an id must not keep it from being found."""
    assert FailureAddress.parse(pasted) == FailureAddress(ID)


@pytest.mark.parametrize(
    "typed", ["", "   ", "1234", "../../etc/passwd", "' OR 1=1 --", f"{ID[:-1]}", "\udcff", "x" * 10**6]
)
def test_what_is_no_id_gives_none(typed: str) -> None:
    """Anything without an id in it must count as no id, never as an error."""
    assert FailureAddress.parse(typed) == FailureAddress("")


@given(st.text())
def test_a_run_id_from_the_address_is_itself_or_nothing(text: str) -> None:
    """Whatever an address says, only a plain run_id may come through, unchanged."""
    assert RunAddress.read({"run_id": text, "failure_id": ID}).run_id in {"", text.strip()}
    assert RunAddress.read({"run_id": "../mirror"}).run_id == ""


def test_every_choice_of_a_list_is_in_its_address_and_in_its_question() -> None:
    """An address must carry every choice, only what differs from the default, and ask the mirror for just that."""
    address = FailuresAddress(
        text="a&b=c",
        failure_types=(FailureType.TIMEOUT, FailureType.EXCEPTION),
        subjects=("shop / ask",),
        range=TimeRange.DAY,
        run=RunAddress("run-1"),
    )

    assert address.params == {
        "q": "a&b=c",
        "type": ["timeout", "exception"],
        "subject": ["shop / ask"],
        "range": "24h",
        "run_id": "run-1",
    }
    assert FailuresAddress().params == {}
    assert address.filter(NOON) == FailureFilter(
        text="a&b=c",
        failure_types=(FailureType.TIMEOUT, FailureType.EXCEPTION),
        subjects=("shop / ask",),
        run_id="run-1",
        since=NOON - timedelta(days=1),
    )
    assert FailuresAddress().filter(NOON) == FailureFilter()

"""The compare page: who is compared, and what it says where nothing can be."""

import pytest
from support.records import failure_id_of, item, make_record, make_step
from ui.conftest import OpenPage
from ui.test_pages import component

from failtrace.contracts import FailureType, StepStatus
from failtrace.mirror.mirror import Mirror

TRACE = f"{2:032x}"


@pytest.fixture
def pair(mirror: Mirror) -> Mirror:
    """A failure, and a passing execution of the same subject on the same input, that differ in their second step."""
    good = (make_step("plan", 0), make_step("search", 1, output=["a", "b"]))
    bad = (good[0], good[1].model_copy(update={"output": [], "status": StepStatus.ERROR}))
    mirror.write(
        [item(make_record(FailureType.EXCEPTION, number=1, steps=bad, message="![x](http://a.invalid/x.png)"))]
    )
    mirror.write([item(make_record(None, number=2, steps=good))])
    mirror.write([item(make_record(None, number=3, steps=good, subject="search"))])
    return mirror


def texts(page: object) -> list[str]:
    return [node.value for node in [*page.text, *page.markdown, *page.caption, *page.info]]  # type: ignore[attr-defined]


def test_a_failure_alone_is_compared_with_its_passing_twin(open_page: OpenPage, pair: Mirror) -> None:
    """The twin on the same input stands on the right, and the first difference is said and chosen."""
    page = open_page("compare", left=failure_id_of(1))

    assert not page.exception
    assert any("on the same input" in text for text in texts(page))
    assert "The first difference: step search gave 0 items on the left and 2 items on the right." in texts(page)
    data = component(page, "compare")
    assert (data["first"], data["selected"], data["answers"]) == (1, 1, [0, 1])
    assert [data["names"][at] for at in data["left"]] == ["plan", "search"]


def test_two_executions_of_different_subjects_may_be_compared(open_page: OpenPage, pair: Mirror) -> None:
    """That they are different is said."""
    page = open_page("compare", left=failure_id_of(1), right=f"{3:032x}")

    assert any("different subjects" in text for text in texts(page))


def test_the_same_twice_has_no_difference(open_page: OpenPage, pair: Mirror) -> None:
    """And the page says that both are one."""
    page = open_page("compare", left=TRACE, right=TRACE)

    assert any("Both sides are the same execution." in text for text in texts(page))
    assert "All 2 steps are the same." in texts(page)
    assert component(page, "compare")["first"] == -1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Compare two executions"),
        ({"left": "nonsense"}, "Compare two executions"),
        ({"left": failure_id_of(77)}, "no passing execution"),
        ({"left": failure_id_of(77), "right": TRACE}, "No execution has the id on the left"),
        ({"left": TRACE, "right": failure_id_of(77)}, "No execution has the id on the right"),
        ({"left": "\x00'; DROP TABLE execution", "right": "%ff" * 999}, "Compare two executions"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    open_page: OpenPage, pair: Mirror, params: dict[str, str], words: str
) -> None:
    """Nothing given, no id, unknown ids: words and a way on, never an error."""
    page = open_page("compare", **params)

    assert not page.exception
    assert any(words in text for text in texts(page))


def test_sides_are_swapped(open_page: OpenPage, pair: Mirror) -> None:
    """The button turns the address round."""
    page = open_page("compare", left=failure_id_of(1), right=TRACE)

    swapped = next(button for button in page.button if button.label == "Swap").click().run()

    assert (swapped.query_params["left"], swapped.query_params["right"]) == (TRACE, failure_id_of(1))
    assert "The first difference: step search gave 2 items on the left and 0 items on the right." in texts(swapped)

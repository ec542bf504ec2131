"""The compare page: who is compared, and what it says where nothing can be."""

import pytest
from support.records import failure_id_of, item, make_record, make_step
from ui.conftest import OpenPage
from ui.test_pages import component

from failtrace.contracts import FailureType, StepStatus, TimedOut
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
    return [node.value for node in [*page.text, *page.markdown, *page.caption, *page.info, *page.error]]  # type: ignore[attr-defined]


def test_a_failure_alone_is_compared_with_its_passing_twin(open_page: OpenPage, pair: Mirror) -> None:
    """The twin on the same input stands on the right, and the first difference is said and chosen."""
    page = open_page("compare", left=failure_id_of(1))

    assert not page.exception
    assert any("on the same input" in text for text in texts(page))
    assert page.text_input(key="compare-right").value == TRACE
    assert "The first difference: step 'search' gave 0 items on the left and 2 items on the right." in texts(page)
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
        ({"left": "nonsense"}, "This is not a failure_id."),
        ({"left": failure_id_of(77)}, "no passing execution"),
        ({"left": failure_id_of(77), "right": TRACE}, "No execution has the id on the left"),
        ({"left": TRACE, "right": failure_id_of(77)}, "No execution has the id on the right"),
        ({"left": "\x00'; DROP TABLE execution", "right": "%ff" * 999}, "On the left and on the right: a failure_id"),
        ({"left": TRACE, "right": "yy"}, "On the right: a failure_id looks like"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    open_page: OpenPage, pair: Mirror, params: dict[str, str], words: str
) -> None:
    """Nothing given, no id, unknown ids: words and a way on, never an error."""
    page = open_page("compare", **params)

    assert not page.exception
    assert any(words in text for text in texts(page))


@pytest.mark.parametrize(("run_id", "told"), [(None, True), ("run-1", False)], ids=["of-no-run", "of-a-run"])
def test_who_can_be_of_watch_hears_how_a_twin_comes_about(
    open_page: OpenPage, mirror: Mirror, run_id: str | None, told: bool
) -> None:
    """A watched call cannot be run on another input: passing ones have to be kept."""
    mirror.write([item(make_record(number=21, run_id=run_id))])

    page = open_page("compare", left=failure_id_of(21))

    assert any("only with `sample=`" in text for text in texts(page)) is told


def test_what_is_no_id_stays_in_its_box(open_page: OpenPage, pair: Mirror) -> None:
    """In the address too, so that a reload says the same; an id that takes its place is compared."""
    page = open_page("compare", left=failure_id_of(1))

    page = page.text_input(key="compare-right").set_value(" no such thing ").run()
    assert (page.query_params["right"], page.text_input(key="compare-right").value) == ("no such thing",) * 2
    assert "This is not a failure_id." in texts(page)
    page = page.text_input(key="compare-right").set_value(f"trace_id={3:032x}").run()
    assert (page.query_params["right"], page.text_input(key="compare-right").value) == (f"{3:032x}",) * 2
    assert any("different subjects" in text for text in texts(page))


def test_another_execution_takes_the_right_side(open_page: OpenPage, pair: Mirror) -> None:
    """Chosen from the newer and older ones of the subject."""
    pair.write([item(make_record(None, number=4, steps=(make_step("plan", 0),)))])
    page = open_page("compare", left=failure_id_of(1), right=TRACE)

    page = page.selectbox(key="compare-other").set_value(f"{4:032x}").run()

    assert not page.exception
    assert page.query_params["right"] == page.text_input(key="compare-right").value == f"{4:032x}"
    assert "The first difference: step 'search' is only on the left." in texts(page)


def test_a_pace_is_told_by_a_number_above_one(open_page: OpenPage, mirror: Mirror) -> None:
    """0.3 times as long is a sum to be done, and about as long no news."""
    took = {31: 10.0, 32: 34.0, 33: 1500.0, 34: 10.1, 35: 0.0}
    steps = {number: (make_step("plan", 0, duration_ms=ms),) for number, ms in took.items()}
    mirror.write([item(make_record(number=number, steps=steps[number])) for number in took])

    def told(left: int, right: int) -> str:
        page = open_page("compare", left=failure_id_of(left), right=failure_id_of(right))
        return next(text for text in texts(page) if " on the left, " in text)

    assert told(31, 32) == "10 ms on the left, 34 ms on the right, 3.4 times as long"
    assert told(32, 31) == "34 ms on the left, 10 ms on the right, 3.4 times as fast"
    assert told(31, 33) == "10 ms on the left, 1.50 s on the right, 150 times as long"
    assert told(31, 34) == "10 ms on the left, 10 ms on the right"
    assert told(35, 31) == "0 ms on the left, 10 ms on the right"


def test_a_step_of_one_side_is_shown_as_it_is(open_page: OpenPage, mirror: Mirror) -> None:
    """Held against nothing, it has not changed: its input, and that no output was recorded; no empty attributes."""
    alone = make_step("plan", 0, input={"query": "kettle"}, output=None, attributes={})
    mirror.write([item(make_record(FailureType.EXCEPTION, number=11, steps=(alone,), output=None))])
    mirror.write([item(make_record(FailureType.EXCEPTION, number=12, steps=(make_step("search", 0),), output=None))])

    page = open_page("compare", left=failure_id_of(11), right=failure_id_of(12))

    assert not page.exception
    shown = texts(page)
    assert {"only on the left", "Input", "Output", "Not recorded.", "It did not return."} <= set(shown)
    assert not {"Attributes", "The whole value changed", "Nothing."} & set(shown)


@pytest.mark.parametrize(
    ("enforced", "told"),
    [
        ((False, False), ["The output of a late call is not kept."]),
        ((False, True), ["Left", "The output of a late call is not kept.", "Right", "It did not return."]),
        ((True, True), ["It did not return."]),
    ],
)
def test_a_late_call_is_not_said_not_to_have_returned(
    open_page: OpenPage, mirror: Mirror, enforced: tuple[bool, bool], told: list[str]
) -> None:
    """What went on to its end gave an output, which is only not kept."""
    for number, ended in zip((11, 12), enforced, strict=True):
        late = TimedOut(limit_s=1, elapsed_s=2, stacks="", enforced=ended, termination=None)
        record = make_record(FailureType.TIMEOUT, number=number, outcome=late, steps=())
        assert record.failure
        failure = record.failure.model_copy(update={"error": None})
        mirror.write([item(record.model_copy(update={"failure": failure}))])

    page = open_page("compare", left=failure_id_of(11), right=failure_id_of(12))

    assert not page.exception
    said = [node.value for node in page.tabs[0].caption]
    assert said[said.index("Output") + 1 :] == told


@pytest.mark.parametrize("right", [{"right": TRACE}, {}], ids=["named", "twin"])
def test_sides_are_swapped(open_page: OpenPage, pair: Mirror, right: dict[str, str]) -> None:
    """The button turns the address round, also where the right side was found and not said."""
    page = open_page("compare", left=failure_id_of(1), **right)

    swapped = next(button for button in page.button if button.label == "Swap").click().run()

    assert (swapped.query_params["left"], swapped.query_params["right"]) == (TRACE, failure_id_of(1))
    assert "The first difference: step 'search' gave 2 items on the left and 0 items on the right." in texts(swapped)

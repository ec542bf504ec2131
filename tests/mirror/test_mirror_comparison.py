"""What runs and executions are compared with: the other run, the passing twin, the last result."""

from datetime import timedelta

from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType, Json
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.writes import input_key

EXCEPTION, TIMEOUT = FailureType.EXCEPTION, FailureType.TIMEOUT


def add(mirror: Mirror, number: int, kind: FailureType | None, value: Json, run_id: str = "r", **more: object) -> None:
    """An execution on an input."""
    record = make_record(kind, number=number, run_id=run_id, ended_at=NOON + timedelta(seconds=number), **more)
    mirror.write([item(record.model_copy(update={"input": value}))])


def test_equal_inputs_have_one_key_whatever_their_order(mirror: Mirror) -> None:
    """Keys of an object may stand in any order; another value, or another type, is another input."""
    assert input_key({"a": 1, "b": [2]}) == input_key({"b": [2], "a": 1})
    others: list[Json] = [None, 0, 0.5, False, "", "0", [], {}, [None], {"a": None}, "\ud800"]
    assert len({input_key(value) for value in others}) == len(others)


def test_two_runs_are_compared_by_subject_and_input(mirror: Mirror) -> None:
    """Newly failing, fixed, still failing and passing are told apart; what only one run had is counted."""
    before = {"same": EXCEPTION, "fixed": TIMEOUT, "fine": None, "broke": None, "gone": None}
    after = {"same": TIMEOUT, "fixed": None, "fine": None, "broke": EXCEPTION, "new": EXCEPTION}
    for number, (value, kind) in enumerate(before.items(), 1):
        add(mirror, number, kind, value, "before")
    for number, (value, kind) in enumerate(after.items(), 11):
        add(mirror, number, kind, value, "after")

    found = mirror.compare_runs("before", "after")

    assert (found.newly_failing.total, found.fixed.total, found.still_failing.total) == (1, 1, 1)
    assert (found.passing_both, found.only_before, found.only_after) == (1, 1, 1)
    (newly,), (fixed,), (still,) = found.newly_failing.rows, found.fixed.rows, found.still_failing.rows
    assert (newly.before.failure_type, newly.after.failure_id) == (None, failure_id_of(14))
    assert (fixed.before.failure_id, fixed.after.failure_type) == (failure_id_of(2), None)
    assert (still.before.failure_type, still.after.failure_type) == (EXCEPTION, TIMEOUT)
    assert newly.input_key == input_key("broke").hex()
    assert newly.subject == "answer"


def test_one_failure_stands_for_all_that_ran_on_an_input(mirror: Mirror) -> None:
    """Run three times on one input, a subject that failed once counts as failing."""
    for number, kind in enumerate((None, EXCEPTION, None), 1):
        add(mirror, number, kind, "x", "before")
    add(mirror, 4, None, "x", "after")

    found = mirror.compare_runs("before", "after")

    assert [row.before.failure_id for row in found.fixed.rows] == [failure_id_of(2)]


def test_a_comparison_is_bounded_and_says_how_many_there_are(mirror: Mirror) -> None:
    """Beyond the limit rows are counted, not listed; unknown runs compare as empty."""
    for number in range(1, 8):
        add(mirror, number, None, number, "before")
        add(mirror, number + 10, EXCEPTION, number, "after")

    found = mirror.compare_runs("before", "after", limit=3)

    assert (found.newly_failing.total, len(found.newly_failing.rows)) == (7, 3)
    nothing = mirror.compare_runs("none", "\x00such")
    assert (nothing.newly_failing.total, nothing.only_before, nothing.only_after) == (0, 0, 0)


def test_the_passing_twin_has_the_same_input_before_it_is_new(mirror: Mirror) -> None:
    """The same input counts more than the date; another subject, and another failure, never do."""
    add(mirror, 1, None, "same")
    add(mirror, 2, None, "other")
    add(mirror, 3, EXCEPTION, "same")
    add(mirror, 4, EXCEPTION, "never passed")
    add(mirror, 5, None, "same", subject="search")

    same = mirror.passed_twin(failure_id_of(3))
    newest = mirror.passed_twin(failure_id_of(4))

    assert same is not None
    assert (same.subject, same.input_key) == ("answer", input_key("same").hex())
    assert newest is not None
    assert newest.input_key == input_key("other").hex()
    assert mirror.passed_twin("none such") is None
    assert mirror.passed_twin("\ud800") is None
    assert mirror.passed_twin(same.trace_id) is None


def test_the_last_result_is_the_newest_of_whatever_kind(mirror: Mirror) -> None:
    """Passed or failed, the newest execution of a subject is its last result; one that never ran has none."""
    add(mirror, 1, EXCEPTION, "x")
    add(mirror, 2, None, "x")
    add(mirror, 3, None, "x", subject="search")
    add(mirror, 4, TIMEOUT, "x", subject="search")

    found = mirror.last_results(["answer", "search", "never ran", "answer"])

    assert {subject: row.failure_type for subject, row in found.items()} == {"answer": None, "search": TIMEOUT}

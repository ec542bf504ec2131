"""The orders of the list of failures, and who stands beside whom in it, against plain Python over the same rows."""

import random
from datetime import timedelta

import pytest
from support.records import NOON, item, make_record

from failtrace.contracts import FailureType
from failtrace.errors import InputError
from failtrace.mirror import lists
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow, FailureFilter, Neighbours, Sort

FILTERS = (
    FailureFilter(),
    FailureFilter(subjects=("answer",)),
    FailureFilter(failure_types=(FailureType.TIMEOUT, FailureType.EXCEPTION)),
    FailureFilter(run_id="run-1"),
    FailureFilter(text="order"),
    FailureFilter(since=NOON + timedelta(minutes=5), until=NOON + timedelta(minutes=30)),
    FailureFilter(fingerprint="00000000000000aa", subjects=("search",)),
)
SORTS: tuple[Sort, ...] = ("newest", "oldest", "longest", "shortest")


@pytest.fixture
def filled(mirror: Mirror) -> Mirror:
    """120 failures and 30 that passed, with times and durations of which many are equal."""
    chance = random.Random(7)
    mirror.write(
        [
            item(
                make_record(
                    chance.choice([*FailureType]) if number % 5 else None,
                    number=number,
                    subject=chance.choice(["answer", "search"]),
                    run_id=chance.choice(["run-1", "run-2", None]),
                    ended_at=NOON + timedelta(minutes=chance.randrange(40)),
                    duration_ms=chance.choice([0.0, 1.5, 12.25, 12.25, 700.0]),
                )
            )
            for number in range(1, 151)
        ]
    )
    return mirror


def walked(mirror: Mirror, wanted: FailureFilter, sort: Sort) -> list[ExecutionRow]:
    """The whole list, seven rows at a time."""
    rows: list[ExecutionRow] = []
    after = None
    while True:
        page = mirror.failures(wanted, limit=7, after=after, sort=sort)
        rows += page.rows
        assert page.total >= len(rows)
        after = page.after
        if after is None:
            assert page.total == len(rows)
            return rows


@pytest.mark.parametrize("few", [0, 8_000])
@pytest.mark.parametrize("wanted", FILTERS)
def test_every_sort_holds_the_same_failures_in_order(
    filled: Mirror, wanted: FailureFilter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the filter, each order has every row once, and the opposite order is the list turned round."""
    # Both ways of sorting by duration: by looking through the index of all, and by sorting a few.
    monkeypatch.setattr(lists, "_FEW", few)
    newest = walked(filled, wanted, "newest")
    longest = walked(filled, wanted, "longest")

    assert newest
    assert [row.ended_at for row in newest] == sorted([row.ended_at for row in newest], reverse=True)
    assert [row.duration_ms for row in longest] == sorted([row.duration_ms for row in newest], reverse=True)
    assert walked(filled, wanted, "oldest") == newest[::-1]
    assert walked(filled, wanted, "shortest") == longest[::-1]
    assert {row.failure_id for row in newest} == {row.failure_id for row in longest}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("wanted", FILTERS)
def test_neighbours_are_those_of_the_list(filled: Mirror, wanted: FailureFilter, sort: Sort) -> None:
    """Before and after each row stand those that the list shows there, and nothing beyond its ends."""
    ids = [None, *[row.failure_id for row in walked(filled, wanted, sort)], None]

    for before, here, after in zip(ids, ids[1:], ids[2:], strict=False):
        assert here is not None
        assert filled.neighbours(wanted, sort, here) == Neighbours(before, after)
    others = {row.failure_id for row in walked(filled, FailureFilter(), sort)} - set(ids)
    for other in others:
        assert other is not None
        assert filled.neighbours(wanted, sort, other) == Neighbours()


def test_who_is_not_there_has_no_neighbours(filled: Mirror) -> None:
    """An unknown id, and one that no file can hold, are in no list."""
    for nobody in ("", "none such", "\x00", "\ud800"):
        assert filled.neighbours(FailureFilter(), "newest", nobody) == Neighbours()


def test_a_cursor_belongs_to_its_sort(filled: Mirror) -> None:
    """The cursor of one order is refused by another, never taken for another place."""
    by_time, by_duration = [filled.failures(limit=2, sort=sort).after for sort in ("newest", "longest")]

    for cursor, sort in ((by_time, "longest"), (by_duration, "oldest"), ("0x1.8p+1", "longest"), ("1.x", "newest")):
        with pytest.raises(InputError, match="cannot be found"):
            filled.failures(limit=2, after=cursor, sort=sort)

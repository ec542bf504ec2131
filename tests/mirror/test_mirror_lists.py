"""Lists: the right rows, newest first, page after page, for any filter and any text."""

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.records import NOON, item, make_record, make_step

from failtrace.contracts import ErrorInfo, FailureType, TraceRecord
from failtrace.errors import InputError
from failtrace.mirror import frequent, lists
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.selection import page_statement
from failtrace.mirror.views import ExecutionRow, FailureFilter, Page

EXCEPTION, TIMEOUT, VALIDATION = FailureType.EXCEPTION, FailureType.TIMEOUT, FailureType.VALIDATION_ERROR
HOSTILE = "'; DROP TABLE execution; -- \" * ( ) : ^ NEAR(a b) AND OR NOT {x} + - % _ \x00 \u202e 🧪"


@pytest.fixture
def many(mirror: Mirror) -> list[TraceRecord]:
    """240 executions of three subjects over ten days, written out of order, many of them at the same moment."""
    kinds = itertools.cycle([None, EXCEPTION, TIMEOUT, None, VALIDATION, EXCEPTION, FailureType.HALLUCINATION_FLAG])
    records = [
        make_record(
            next(kinds),
            number=n + 1,
            subject=f"subject-{n % 3}",
            run_id=None if n % 5 == 0 else f"run-{n % 4}",
            fingerprint=f"{n % 2:016x}",
            ended_at=NOON + timedelta(minutes=61 * (n * 37 % 240 // 2)),
        )
        for n in range(240)
    ]
    for start in range(0, 240, 50):
        mirror.write([item(record) for record in records[start : start + 50]])
    return records


def walk(page_of: Callable[[str | None], Page[ExecutionRow]]) -> tuple[list[str], set[int]]:
    """All pages of a list: the trace_ids in order, and the totals that the pages gave."""
    found: list[str] = []
    totals, after = set(), None
    while True:
        page = page_of(after)
        found += [row.trace_id for row in page.rows]
        totals.add(page.total)
        after = page.after
        if after is None:
            return found, totals


def expected(records: list[TraceRecord], wanted: Callable[[TraceRecord], bool]) -> list[str]:
    """By brute force: newest first, and of one moment the one written last."""
    order = sorted(enumerate(records), key=lambda pair: (pair[1].ended_at, pair[0]), reverse=True)
    return [record.trace_id for _, record in order if wanted(record)]


def kind(record: TraceRecord) -> FailureType | None:
    return record.failure.failure_type if record.failure else None


SINCE, UNTIL = NOON + timedelta(hours=30, minutes=20), NOON + timedelta(hours=95, minutes=50)
FILTERS: dict[str, tuple[FailureFilter, Callable[[TraceRecord], bool]]] = {
    "all": (FailureFilter(), lambda r: True),
    "a type": (FailureFilter(failure_types=(TIMEOUT,)), lambda r: kind(r) is TIMEOUT),
    "types": (
        FailureFilter(failure_types=(TIMEOUT, VALIDATION, TIMEOUT)),
        lambda r: kind(r) in (TIMEOUT, VALIDATION),
    ),
    "subjects": (
        FailureFilter(subjects=("subject-1", "subject-0", "none such")),
        lambda r: r.subject.name in ("subject-1", "subject-0"),
    ),
    "very many subjects": (
        FailureFilter(subjects=tuple(f"subject-{n}" for n in range(1, 70))),
        lambda r: r.subject.name != "subject-0",
    ),
    "subject and type": (
        FailureFilter(subjects=("subject-2",), failure_types=(EXCEPTION,)),
        lambda r: r.subject.name == "subject-2" and kind(r) is EXCEPTION,
    ),
    "run": (FailureFilter(run_id="run-1"), lambda r: r.run_id == "run-1"),
    "run, subject, type": (
        FailureFilter(run_id="run-1", subjects=("subject-1",), failure_types=(EXCEPTION, TIMEOUT)),
        lambda r: r.run_id == "run-1" and r.subject.name == "subject-1" and kind(r) in (EXCEPTION, TIMEOUT),
    ),
    "fingerprint": (
        FailureFilter(fingerprint=f"{1:016x}"),
        lambda r: bool(r.failure and r.failure.fingerprint == f"{1:016x}"),
    ),
    "fingerprint, run, type, time": (
        FailureFilter(fingerprint=f"{1:016x}", run_id="run-1", failure_types=(EXCEPTION,), since=SINCE),
        lambda r: (
            bool(r.failure and r.failure.fingerprint == f"{1:016x}")
            and r.run_id == "run-1"
            and kind(r) is EXCEPTION
            and r.ended_at >= SINCE
        ),
    ),
    "since": (FailureFilter(since=SINCE), lambda r: r.ended_at >= SINCE),
    "until": (FailureFilter(until=UNTIL), lambda r: r.ended_at < UNTIL),
    "between": (FailureFilter(since=SINCE, until=UNTIL), lambda r: SINCE <= r.ended_at < UNTIL),
    "within an hour": (
        FailureFilter(since=SINCE, until=SINCE + timedelta(minutes=50)),
        lambda r: SINCE <= r.ended_at < SINCE + timedelta(minutes=50),
    ),
    "empty range": (FailureFilter(since=UNTIL, until=SINCE), lambda r: False),
    "between, subject, type": (
        FailureFilter(since=SINCE, until=UNTIL, subjects=("subject-0",), failure_types=(EXCEPTION,)),
        lambda r: SINCE <= r.ended_at < UNTIL and r.subject.name == "subject-0" and kind(r) is EXCEPTION,
    ),
    "text and all else": (
        FailureFilter(
            text="order",
            since=SINCE,
            until=UNTIL,
            subjects=("subject-0", "subject-1"),
            failure_types=(EXCEPTION, TIMEOUT),
            run_id="run-2",
        ),
        lambda r: (
            SINCE <= r.ended_at < UNTIL
            and r.subject.name in ("subject-0", "subject-1")
            and kind(r) in (EXCEPTION, TIMEOUT)
            and r.run_id == "run-2"
        ),
    ),
    "hostile values": (FailureFilter(run_id=HOSTILE, fingerprint=HOSTILE, subjects=(HOSTILE,)), lambda r: False),
}


@pytest.mark.parametrize(("wanted", "holds"), FILTERS.values(), ids=FILTERS.keys())
@pytest.mark.parametrize("limit", [7, 1000])
def test_failures_by_any_filter(
    mirror: Mirror,
    many: list[TraceRecord],
    wanted: FailureFilter,
    holds: Callable[[TraceRecord], bool],
    limit: int,
) -> None:
    """Pages put together are the list by brute force, without a gap or a repeat, and say its length."""
    right = expected(many, lambda r: r.failure is not None and holds(r))

    found, totals = walk(lambda after: mirror.failures(wanted, limit=limit, after=after))

    assert found == right
    assert totals == {len(right)}


@pytest.mark.parametrize("run_id", [None, "run-3", "none such"])
@pytest.mark.parametrize("subject", [None, "subject-1"])
@pytest.mark.parametrize("passed", [None, True, False])
def test_executions_by_any_filter(
    mirror: Mirror, many: list[TraceRecord], run_id: str | None, subject: str | None, passed: bool | None
) -> None:
    """Executions are listed with those that passed, in the same order, and counted right."""
    right = expected(
        many,
        lambda r: (
            run_id in (None, r.run_id) and subject in (None, r.subject.name) and passed in (None, r.failure is None)
        ),
    )

    found, totals = walk(lambda after: mirror.executions(run_id, subject, passed=passed, limit=11, after=after))

    assert found == right
    assert totals == {len(right)}


def test_new_failures_do_not_shift_a_page(mirror: Mirror, many: list[TraceRecord]) -> None:
    """Whoever pages on while failures come in sees each old one exactly once."""
    first = mirror.failures(limit=10)
    mirror.write([item(make_record(ended_at=NOON + timedelta(days=30)))])
    second = mirror.failures(limit=10, after=first.after)

    right = expected(many, lambda r: r.failure is not None)[:20]
    assert [row.trace_id for row in first.rows + second.rows] == right


@pytest.mark.parametrize("wanted", [wanted for wanted, _ in FILTERS.values() if not wanted.text])
def test_no_list_reads_more_than_it_shows(mirror: Mirror, path: Path, wanted: FailureFilter) -> None:
    """SQLite walks an index in the list's order: no scan of the table and no sorting, whatever the filter."""
    statement, values = page_statement(lists._of_filter(wanted), (1, 1), 51)
    values = {**statement.constants, **values}
    arguments = tuple(values[name] for name in statement.names)
    with closing(sqlite3.connect(path)) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", arguments)]

    assert any("USING INDEX" in step for step in steps)
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "1", "1.", ".1", "1.2.3", "1.2 OR 1=1", "-1.-1", "9" * 30 + ".1", "١.٢", HOSTILE, "\ud800"],
)
def test_a_cursor_of_no_list_is_refused(mirror: Mirror, cursor: str) -> None:
    """A made-up cursor is one sentence, in every list."""
    for page in (mirror.failures, mirror.executions, mirror.runs):
        with pytest.raises(InputError, match="start from the first page"):
            page(after=cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_page_has_bounds(mirror: Mirror, limit: int) -> None:
    """Nobody asks for no rows, or for all of them at once."""
    with pytest.raises(InputError, match="ask for 1 to 10000"):
        mirror.failures(limit=limit)


def test_a_time_without_zone_is_refused(mirror: Mirror) -> None:
    """A filter in nobody knows whose local time is one sentence."""
    with pytest.raises(InputError, match="no time zone"):
        mirror.failures(FailureFilter(since=datetime(2026, 3, 1)))  # noqa: DTZ001
    with pytest.raises(InputError, match="no time zone"):
        mirror.overview(until=datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize("any_id", ["", "../../etc/passwd", HOSTILE, "\ud800", "%", "0" * 32, "x" * 100_000])
def test_any_text_is_an_id(mirror: Mirror, any_id: str) -> None:
    """An id that names nothing finds nothing, whatever it holds, and does no harm."""
    mirror.write([item(make_record())])

    assert mirror.record(any_id) is None
    assert mirror.identity(any_id) is None
    assert mirror.execution(any_id) is None
    assert mirror.run(any_id) is None
    assert not mirror.cancel_requested(any_id)
    assert not mirror.request_cancel(any_id)
    assert mirror.overview().executions == 1


def told() -> TraceRecord:
    """A failure with a word of its own in each place that a person may remember."""
    cause = ErrorInfo(type="shop.errors.OutOfStock", message="kettle gone", stacktrace="", relation="cause")
    record = make_record(
        number=900,
        subject="shop.answer",
        message="reserving failed",
        input={"question": "where is the Überraschung?", "nested": [{"deep": "orinoco"}]},
        output=["half an answer about amazonas"],
        steps=(make_step("search_catalogue"), make_step("charge-card", 1)),
    )
    assert record.failure is not None
    error = ErrorInfo(type="ExceptionGroup", message="two of them", stacktrace="", causes=(cause,))
    return record.model_copy(update={"failure": record.failure.model_copy(update={"error": error})})


@pytest.mark.parametrize(
    "text",
    [
        "reserving failed",
        "FAILED reserving",
        "shop.answer",
        "OutOfStock",
        "shop.errors.OutOfStock kettle",
        "ExceptionGroup",
        "search_catalogue",
        "catalogue",
        "charge-card",
        "überraschung",
        "uberraschung",
        "orinoco",
        "question",
        "amazonas",
        "reserving ama",  # the last word is still being typed
        '"reserving',
        "reserving *",
        "  kettle \t\n ",
        "kettle\x00",
    ],
)
def test_a_failure_is_found_by_its_words(mirror: Mirror, text: str) -> None:
    """All words must occur, in any order, case and accent, of message, errors, steps, input and output."""
    mirror.write([item(told()), item(make_record(message="another story", input=None))])

    page = mirror.failures(FailureFilter(text=text))

    assert ([row.message for row in page.rows], page.total) == (["reserving failed"], 1)


@pytest.mark.parametrize(
    "text",
    ["reserving nowhere", "ama reserving", "reserving NOT kettle", "text:kettle", "kettle OR nothing", HOSTILE + "a"],
)
def test_words_are_never_syntax(mirror: Mirror, text: str) -> None:
    """FTS5's own language is words to look for, and words that are not there find nothing."""
    mirror.write([item(told())])

    assert mirror.failures(FailureFilter(text=text)).rows == ()


@pytest.mark.parametrize("text", ["", "   ", '"', "* ( ) -", "\x00", "\ud800"])
def test_no_words_do_not_narrow(mirror: Mirror, text: str) -> None:
    """A search box with nothing to look for in it shows all failures."""
    mirror.write([item(told())])

    assert mirror.failures(FailureFilter(text=text)).total == 1


def test_hostile_text_is_kept_and_found_as_it_is(mirror: Mirror) -> None:
    """Quotes, NULs and SQL in every text that a subject controls are data."""
    record = make_record(subject=HOSTILE, message=HOSTILE, run_id=HOSTILE, fingerprint=HOSTILE)
    mirror.write([item(record), item(make_record())])

    for wanted in (
        FailureFilter(subjects=(HOSTILE,)),
        FailureFilter(run_id=HOSTILE),
        FailureFilter(fingerprint=HOSTILE),
        FailureFilter(text=HOSTILE),
        FailureFilter(text="table near"),
    ):
        page = mirror.failures(wanted)
        assert [row.trace_id for row in page.rows] == [record.trace_id]
        assert (page.rows[0].subject, page.rows[0].message) == (HOSTILE, HOSTILE)
    assert mirror.subjects() == tuple(sorted((HOSTILE, "answer")))


@pytest.mark.parametrize("chunks", [(3, 5, 1000), (3, 5)], ids=["found near the top", "found by sorting"])
@pytest.mark.parametrize("wanted", ["all", "subjects", "run, subject, type", "between", "fingerprint"])
def test_a_frequent_word_lists_as_any_other(
    mirror: Mirror,
    many: list[TraceRecord],
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    chunks: tuple[int, ...],
) -> None:
    """Which way the rows are found depends on how many there are; the list does not."""
    by, holds = FILTERS[wanted]
    newest = NOON + timedelta(days=20)
    others = [make_record(number=1000 + n, message="seldom", input=None, ended_at=newest) for n in range(20)]
    mirror.write([item(record) for record in others])
    monkeypatch.setattr(lists, "FREQUENT", 1)
    monkeypatch.setattr(frequent, "_CHUNKS", chunks)
    right = expected(many, lambda r: r.failure is not None and holds(r))

    found, totals = walk(lambda after: mirror.failures(replace(by, text="order"), limit=7, after=after))

    assert found == right
    assert totals == {len(right)}


def test_a_huge_failure_is_searched_by_its_start(mirror: Mirror) -> None:
    """The index takes a bounded part of a failure, and the list a bounded part of its message."""
    record = make_record(message="start " + "middle " * 100_000 + "end", input=["x " * 1_000_000])
    mirror.write([item(record)])

    assert mirror.failures(FailureFilter(text="start middle")).total == 1
    assert mirror.failures(FailureFilter(text="end")).total == 0
    assert len(mirror.failures().rows[0].message) == 1000


def test_the_earliest_and_the_latest_moment_can_be_asked_for(mirror: Mirror) -> None:
    """The ends of datetime are ordinary bounds."""
    mirror.write([item(make_record())])
    always = {
        "since": datetime.min.replace(tzinfo=UTC),
        "until": datetime.max.replace(tzinfo=UTC),
    }

    assert mirror.failures(FailureFilter(**always)).total == 1
    assert mirror.overview(**always).failures == 1

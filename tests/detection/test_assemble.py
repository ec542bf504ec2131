"""A journal's lines to a record: what a subject wrote into them can be anything, and what they say must be told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from failtrace.capture.journal import JournalLines
from failtrace.capture.sanitiser import Marks, sanitise
from failtrace.codec import decode_record, encode_record
from failtrace.contracts import Crashed, EndedBy, FailureType, TimedOut, TraceRecord, VerdictStatus
from failtrace.detection.assemble import assemble
from failtrace.detection.steps import moment

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
STEP = "00000000000000aa"
OTHER = "00000000000000bb"
OPEN: dict[str, Any] = {
    "k": "open",
    "t": START,
    "trace_id": "1" * 32,
    "failure_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "run_id": None,
    "subject": {"name": "s", "version": None, "source": "m:s"},
    "timeout": 2.0,
    "input": None,
    "attributes": {},
    "environment": {
        "python": "3.11", "platform": "p", "failtrace": "0", "git_commit": None, "git_dirty": None, "pid": 1,
        "isolation": "process",
    },
    "marks": {"cut": 1, "redacted": 2},
}  # fmt: skip
BEGIN = {"k": "begin", "t": START}
EXIT: dict[str, Any] = {
    "k": "exit", "t": START + 3 * SECOND, "code": None, "signal": 9, "core": False, "oom": False, "peak_rss": 1,
    "killed": None, "host_lost": False, "stacks": "", "stdout": None, "stderr": None,
    "marks": {"cut": 10, "redacted": 20},
}  # fmt: skip
RETURNED: dict[str, Any] = {
    "k": "outcome", "t": START + SECOND, "ms": 1000.0, "kind": "returned", "contract": None, "evidence": None,
    "output": None,
}  # fmt: skip
RAISED = {
    **RETURNED,
    "kind": "raised",
    "error": {
        "type": "ValueError", "message": "bad", "stacktrace": "", "notes": [], "relation": "raised", "causes": [],
        "exceptions": [],
    },
    "origin": None,
}  # fmt: skip


def start(step_id: str = STEP, at: Any = START, **attributes: Any) -> dict[str, Any]:
    return {"k": "start", "id": step_id, "p": None, "n": step_id, "t": at, "a": attributes}


def end(step_id: str = STEP, at: Any = START + SECOND, **more: Any) -> dict[str, Any]:
    return {"k": "end", "id": step_id, "t": at, "s": "unset", "a": {}, **more}


def record_of(*lines: dict[str, Any]) -> TraceRecord:
    """The record of a journal with these lines; equal after being stored and read."""
    written = tuple(json.loads(to_json(line)) for line in (OPEN, BEGIN, *lines))
    record = assemble(JournalLines(written, 0))
    assert decode_record(encode_record(record)) == record
    return record


def step_input(text: Any, mime_type: str | None = None) -> Any:
    attributes = {"input.value": text} | ({"input.mime_type": mime_type} if mime_type else {})
    return record_of(start(**attributes), end(), RETURNED).steps[0].input


@pytest.mark.parametrize(
    ("text", "mime_type", "told"),
    [
        pytest.param("123", "text/plain", "123", id="plain-digits"),
        pytest.param("true", None, "true", id="plain-word"),
        pytest.param('{"a": 1}', "text/plain", '{"a": 1}', id="said-to-be-plain"),
        pytest.param('"text"', None, "text", id="our-own-text"),
        pytest.param("5", "application/json", 5, id="our-own-number"),
        pytest.param(' {"a": [1.5]}', None, {"a": [1.5]}, id="object"),
        pytest.param("1e999", "application/json", {"$failtrace": "float", "value": "inf"}, id="infinite"),
        pytest.param("[NaN]", None, [{"$failtrace": "float", "value": "nan"}], id="nan"),
        pytest.param(
            '{"id": 9007199254740993}', None, {"id": {"$failtrace": "int", "value": "9007199254740993"}}, id="inexact"
        ),
        pytest.param("9" * 4300, "application/json", {"$failtrace": "int", "value": "9" * 4300}, id="long-integer"),
        pytest.param("[" * 600 + "]" * 600, None, "[" * 600 + "]" * 600, id="deep"),
        pytest.param('"\\ud800"', None, '"\\ud800"', id="lone-surrogate"),
        pytest.param('{"\\uD800": 1}', None, '{"\\uD800": 1}', id="lone-surrogate-in-a-key"),
        pytest.param('"\\ud83d\\ude00"', None, "😀", id="paired-surrogates"),
        pytest.param("{broken", "application/json", "{broken", id="no-json"),
    ],
)
def test_a_json_text_is_told_as_what_it_says_where_it_can_be_kept(text: str, mime_type: str | None, told: Any) -> None:
    """Only what is JSON by its own word is read, and nothing comes of it that could not be stored."""
    assert step_input(text, mime_type) == told


_odd_keys = st.dictionaries(st.one_of(st.integers(), st.text(), st.none()), st.none(), max_size=3)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), _odd_keys),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
        max_leaves=10,
    ),
    st.sampled_from([0, 60]),
)
def test_what_our_own_step_wrote_is_read_as_it_was_sanitised(value: Any, levels: int) -> None:
    """The sanitiser's markers come through a step's JSON text unchanged, however deep they stand."""
    for _ in range(levels):
        value = {0: [value]}
    clean = sanitise(value, Marks())

    assert step_input(to_json(clean).decode(), "application/json") == clean


@pytest.mark.parametrize("hostile", [10**30, -(10**30), 10**400, "noon", None, 1e300, float("inf"), True])
def test_hostile_times_are_told_as_the_nearest_possible(hostile: Any) -> None:
    """A span's and a log record's times are the subject's to set; none of them can cost the record."""
    record = record_of(
        start(at=hostile),
        {"k": "log", "t": hostile, "level": "INFO", "logger": "l", "msg": "m", "id": STEP},
        end(at=hostile, ev=[{"n": "event", "t": hostile, "a": {}}]),
        start(OTHER, at=hostile),
    )

    assert [step.duration_ms >= 0 for step in record.steps] == [True, True]
    assert 1970 <= record.steps[0].events[0].time.year <= 9999
    assert record.logs.lines[0].time == record.steps[0].started_at


def test_a_usual_time_is_told_to_the_microsecond() -> None:
    """No digit is lost to a float."""
    assert moment(1_763_900_000_123_456_789) == datetime(2025, 11, 23, 12, 13, 20, 123456, UTC)


@pytest.mark.parametrize(
    "last", [EXIT, RETURNED, {**RETURNED, "late": True}, None], ids=["crash", "end", "late", "lost"]
)
def test_what_was_cut_is_counted_however_it_ended(last: dict[str, Any] | None) -> None:
    """The tallies stand in the lines themselves, cumulative, in any order; host and supervisor add their own."""
    lines = [start(), {**end(), "tally": [100, 7, 3, 4, 5]}, {**start(OTHER), "tally": [60, 9, 2, 4, 1]}]
    kept = record_of(*lines, *([last] if last else [])).completeness

    of_exit = 10 if last is EXIT else 0
    assert (kept.bytes_cut, kept.values_redacted) == (101 + of_exit, 11 + 2 * of_exit)
    assert (kept.steps_dropped, kept.logs_dropped, kept.journal_lines_torn) == (3, 4, 5)
    assert (kept.steps_started, kept.steps_recorded) == (5, 2)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"signal": 9, "oom": True, "killed": None}, True),
        ({"signal": 11, "oom": True, "killed": None}, False),
        ({"signal": None, "code": 3, "oom": True, "killed": None}, False),
        ({"signal": 9, "oom": True, "killed": "deadline"}, False),
        ({"signal": 9, "oom": None, "killed": None}, None),
        ({"signal": 9, "oom": False, "killed": None}, False),
    ],
)
def test_only_a_sigkill_of_the_kernel_is_out_of_memory(ended: dict[str, Any], told: bool | None) -> None:
    """A neighbour in the same group that was killed for want of memory says nothing of this process."""
    outcome = record_of({**EXIT, **ended}).outcome

    assert isinstance(outcome, Crashed | TimedOut)
    assert outcome.termination is not None
    assert outcome.termination.out_of_memory is told


def test_a_record_has_one_last_open_step() -> None:
    """The step open at the deadline is both the failure's and the termination's, whatever opened after it."""
    deadline = START + 2 * SECOND
    steps = [start(), start(OTHER, at=deadline + SECOND // 2)]

    killed = record_of(*steps, {**EXIT, "killed": "deadline"})
    crashed = record_of(*steps, EXIT)

    for record, step_id in ((killed, STEP), (crashed, OTHER)):
        assert record.failure is not None
        assert record.failure.termination is not None
        assert (record.failure.step_id, record.failure.termination.last_open_step_id) == (step_id, step_id)


@pytest.mark.parametrize("enforced", [True, False])
def test_only_an_enforced_deadline_ends_steps(enforced: bool) -> None:
    """Where nothing ended the subject, its steps ended by themselves or with it."""
    deadline = {"k": "deadline", "t": START + 2 * SECOND, "stacks": "here"}
    last = {**RAISED, "t": START + 3 * SECOND, "ms": 3000.0, "late": True}
    steps = [start(), start(OTHER), end(at=START + 2 * SECOND + 1)]

    record = record_of(*steps, *([deadline] if enforced else []), last)

    assert isinstance(record.outcome, TimedOut)
    assert record.outcome.enforced is enforced
    assert [step.ended_by for step in record.steps] == (
        [EndedBy.TIMEOUT] * 2 if enforced else [EndedBy.ITSELF, EndedBy.PARENT_ENDED]
    )


def test_an_error_after_the_deadline_is_told() -> None:
    """A late subject that raises is a timeout, and its failure holds the error."""
    record = record_of({**RAISED, "ms": 3000.0, "late": True})

    assert record.failure is not None
    assert record.failure.error is not None
    assert (record.failure.failure_type, record.failure.error.message) == (FailureType.TIMEOUT, "bad")
    assert record.verdicts[0].reason.endswith("It then raised ValueError: bad")


@pytest.mark.parametrize("cut", [True, False])
def test_nothing_is_flagged_for_evidence_that_was_left_out(cut: bool) -> None:
    """Evidence beyond the limits may hold what the kept part does not."""
    evidence = {"texts": ["The harbour opened in 1911."], "cut": cut}
    record = record_of({**RETURNED, "output": "The harbour opened in 1856.", "evidence": evidence})

    (verdict,) = [verdict for verdict in record.verdicts if verdict.detector.name == "grounding"]
    assert verdict.status is (VerdictStatus.ABSTAINED if cut else VerdictStatus.FAILED)

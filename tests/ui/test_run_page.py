"""The run page: what is offered, what is refused, what became of a run."""

import os
from datetime import timedelta

from streamlit.testing.v1 import AppTest
from support.records import NOON, item, make_record
from ui.conftest import OpenPage
from ui.test_pages import component

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror


def texts(page: AppTest) -> list[str]:
    return [node.value for node in [*page.text, *page.markdown, *page.caption, *page.subheader]]


def a_run(
    mirror: Mirror, run_id: str, kinds: list[FailureType | None], *, state: str = "finished", hour: int = 0
) -> None:
    """A run of `answer` on inputs 0, 1, …, each ending as given."""
    at = NOON + timedelta(hours=hour)
    mirror.start_run(run_id, subjects=["answer"], planned=len(kinds), pid=os.getpid(), at=at)
    for number, kind in enumerate(kinds):
        record = make_record(kind, number=1 + number + 100 * hour, run_id=run_id, ended_at=at)
        mirror.write([item(record.model_copy(update={"input": number}))])
    if state != "running":
        mirror.finish_run(run_id, state="finished", not_run=0, bad_lines=0, at=at + timedelta(seconds=9))


def test_nothing_ran_yet(open_page: OpenPage) -> None:
    """All subjects are chosen, what they are is a table, and the button can be pressed."""
    page = open_page("run")

    assert not page.exception
    assert "Nothing has run yet." in texts(page)
    assert not page.button(key="run-start-0").disabled
    offered = component(page, "subjects")
    rows = {row["name"]: row for row in offered["subjects"]}
    assert set(offered["picked"]) == set(rows)
    assert rows["contract_wrong_type"]["contract"] != "nothing"
    assert [row for row in rows.values() if "kind" in row] == []


def test_a_run_whose_inputs_were_not_kept_is_not_run_again(open_page: OpenPage, mirror: Mirror) -> None:
    """The button says that it runs on the examples; where a subject is not registered, the text names it."""
    mirror.start_run("run-1", subjects=["contract_wrong_type"], planned=1, pid=os.getpid(), at=NOON)
    mirror.start_run("run-2", subjects=["**shop**"], planned=1, pid=os.getpid(), at=NOON)
    for run_id in ("run-1", "run-2"):
        mirror.finish_run(run_id, state="finished", not_run=0, bad_lines=0, at=NOON)

    known, unknown = open_page("run", run_id="run-1"), open_page("run", run_id="run-2")

    assert known.button(key="again-run-1-0").label == "Run on its examples"
    assert not known.button(key="again-run-1-0").disabled
    assert unknown.button(key="again-run-2-0").disabled
    assert "**shop** is not registered here; name the module in FAILTRACE_SUBJECTS and start the dashboard again." in [
        text.value for text in unknown.text
    ]


def test_how_each_subject_ended_last_is_a_link(open_page: OpenPage, mirror: Mirror) -> None:
    """A failure leads to its page, an execution that passed to its record."""
    mirror.write([item(make_record(FailureType.TIMEOUT, number=1, subject="contract_wrong_type"))])

    rows = {row["name"]: row for row in component(open_page("run"), "subjects")["subjects"]}

    assert rows["contract_wrong_type"]["kind"] == "timeout"
    assert rows["contract_wrong_type"]["href"].startswith("failure?failure_id=")


def test_the_button_says_why_it_cannot_be_pressed(open_page: OpenPage) -> None:
    """No subject, no input, bad lines that nobody agreed to skip: each is said beside the button."""
    page = open_page("run")

    page.session_state["run-chosen"] = ()
    none = page.run()
    assert none.button(key="run-start-0").disabled
    assert "Choose at least one subject." in texts(none)
    page.session_state["run-chosen"] = ("agent_that_answers",)
    page.session_state["run-inputs"] = "Pasted JSON"
    pasted = page.run()
    assert "Paste the inputs above." in texts(pasted)
    bad = pasted.text_area(key="run-pasted").set_value("{not json}").run()
    assert bad.button(key="run-start-0").disabled
    assert "There is no input that can be read." in texts(bad)
    assert [code.value.startswith("Line 1 is not JSON") for code in bad.code] == [True]
    mixed = bad.text_area(key="run-pasted").set_value('{"a": 1}\nx\n{"a": 2}').run()
    assert mixed.button(key="run-start-0").disabled
    assert "1 line is not JSON: mend or skip." in texts(mixed)
    good = mixed.segmented_control(key="run-skip").set_value("Skip").run()
    assert not good.button(key="run-start-0").disabled
    assert "1 subject on 2 inputs: 2 executions" in texts(good)


def test_a_run_that_goes_is_shown_to_whoever_comes(open_page: OpenPage, mirror: Mirror) -> None:
    """Without a run_id in the address the running one is shown, with its pace and a button to cancel it."""
    a_run(mirror, "run-1", [None, FailureType.TIMEOUT], state="running")

    page = open_page("run")

    header = component(page, "header")
    assert (header["badge"], header["title"]) == ("running", "answer")
    assert [row["cells"]["type"] for row in component(page, "list")["rows"]] == ["timeout", "passed"]
    cancelled = page.button(key="cancel-run-1").click().run()
    assert "Stopping…" in texts(cancelled)
    assert mirror.cancel_requested("run-1")


def test_two_runs_are_compared(open_page: OpenPage, mirror: Mirror) -> None:
    """The run before of the same subjects is the other one, unless the address names another."""
    a_run(mirror, "run-1", [FailureType.TIMEOUT, None, None], hour=1)
    a_run(mirror, "run-2", [None, FailureType.EXCEPTION, None], hour=2)

    page = open_page("run", run_id="run-2")

    assert {metric.label: metric.value for metric in page.metric} == {
        "Newly failing": "1",
        "Fixed": "1",
        "Still failing": "0",
        "Passing in both": "1",
    }
    assert open_page("run", run_id="run-2", against="no-such-run").metric[0].value == "1"
    assert not open_page("run", run_id="run-1").metric


def test_what_became_of_a_run_is_paged_and_narrowed(open_page: OpenPage, mirror: Mirror) -> None:
    """All its executions can be walked through; failed and passed ones stand alone when asked for."""
    a_run(mirror, "run-1", [FailureType.TIMEOUT, *[None] * 70])

    page = open_page("run", run_id="run-1")

    assert component(page, "header")["text"] == "Finished: 1 of 71 executions failed."
    assert "1–50 of 71" in texts(page)
    older = page.button(key="executions-trail-Older").click().run()
    assert "51–71 of 71" in texts(older)
    older.session_state["run-shown-run-1"] = "Failed"
    failed = older.run()
    assert [row["cells"]["type"] for row in component(failed, "list")["rows"]] == ["timeout"]


def test_a_foreign_run_id_is_a_sentence(open_page: OpenPage, mirror: Mirror) -> None:
    """An unknown id and one that is none get words and the list of runs."""
    a_run(mirror, "run-1", [None])

    for run_id in ("no-such-run", "'; DROP TABLE run; --", "\x00" * 9):
        page = open_page("run", run_id=run_id, against=run_id)
        assert not page.exception
        assert any("No run has this id" in text for text in texts(page)) == (run_id == "no-such-run")
        assert "Past runs" in texts(page)

"""The run page: what is offered, what is refused, what became of a run."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from support.records import NOON, item, make_record
from ui.conftest import OpenPage
from ui.test_pages import component

from failtrace.contracts import FailureType
from failtrace.errors import InputError
from failtrace.mirror.mirror import Mirror
from failtrace.ui.launch import RunRequest, request_of, sentences_of, start


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
    assert not page.button(key="run-start").disabled
    table = page.dataframe[0].value
    assert set(table["Last result"]) == {"never ran"}
    assert "contract_wrong_type" in set(table["Subject"])


def test_the_button_says_why_it_cannot_be_pressed(open_page: OpenPage) -> None:
    """No subject, no input, nothing but bad lines: each is said beside the button."""
    page = open_page("run")

    none = page.multiselect(key="run-subjects").set_value([]).run()
    assert none.button(key="run-start").disabled
    assert "Choose at least one subject." in texts(none)
    page.multiselect(key="run-subjects").set_value(["agent_that_answers"])
    page.session_state["run-inputs"] = "Pasted JSON"
    pasted = page.run()
    assert "Paste the inputs above." in texts(pasted)
    bad = pasted.text_area(key="run-pasted").set_value("{not json}").run()
    assert bad.button(key="run-start").disabled
    assert "There is no input that could be read." in texts(bad)
    assert any(text.startswith("Line 1 is not JSON") for text in texts(bad))
    good = bad.text_area(key="run-pasted").set_value('{"a": 1}\nx\n{"a": 2}').run()
    assert not good.button(key="run-start").disabled
    assert "2 inputs, 1 bad line left out" in texts(good)


def test_a_run_that_goes_is_shown_to_whoever_comes(open_page: OpenPage, mirror: Mirror) -> None:
    """Without a run_id in the address the running one is shown, with its pace and a button to cancel it."""
    a_run(mirror, "run-1", [None, FailureType.TIMEOUT], state="running")

    page = open_page("run")

    header = component(page, "header")
    assert (header["badge"], header["title"]) == ("running", "2 executions")
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


def test_a_foreign_run_id_is_a_sentence(open_page: OpenPage, mirror: Mirror) -> None:
    """An unknown id and one that is none get words and the list of runs."""
    a_run(mirror, "run-1", [None])

    for run_id in ("no-such-run", "'; DROP TABLE run; --", "\x00" * 9):
        page = open_page("run", run_id=run_id, against=run_id)
        assert not page.exception
        assert any("Runs" in text for text in texts(page))


def test_a_run_can_be_asked_for_again(tmp_path: Path) -> None:
    """What was asked for stands beside the log, for its owner alone; damaged or missing, it is as if unknown."""
    request = RunRequest(("answer",), inputs='{"any": 1}\n', timeout_s=2.0, workers=1, store="memory")

    run_id = start(request, {"answer"}, tmp_path)

    kept = tmp_path / "runs" / f"{run_id}.json"
    assert request_of(tmp_path, run_id) == request
    assert kept.stat().st_mode & 0o077 == 0
    for content in ("", "7", '{"subjects": 7, "has_inputs": false}', '{"subjects": ["a"], "more": 1}', "[" * 9999):
        kept.write_text(content)
        assert request_of(tmp_path, run_id) is None
    assert request_of(tmp_path, "no-such-run") is None


def test_old_logs_go(tmp_path: Path) -> None:
    """Of 200 runs logs and requests are kept, whatever else is in the folder."""
    folder = tmp_path / "runs"
    folder.mkdir()
    for number in range(230):
        (folder / f"00000000-{number:04}.log").touch()
        (folder / f"00000000-{number:04}.json").touch()
    (folder / "mine.txt").touch()

    run_id = start(RunRequest(("answer",)), {"answer"}, tmp_path)

    assert len(list(folder.glob("*.log"))) == 200
    assert len(list(folder.glob("*.json"))) == 200
    assert (folder / f"{run_id}.log").exists()
    assert not (folder / "00000000-0030.log").exists()
    assert (folder / "mine.txt").exists()


def test_what_a_run_said_are_its_sentences() -> None:
    """JSON lines are for programs; the rest is what it had to say."""
    printed = (
        '{"type": "execution"}\nfailtrace: Line 3 of \'-\' is not JSON and was skipped: no.\n\n{"type": "summary"}\n'
    )

    assert sentences_of(printed) == ["Line 3 of '-' is not JSON and was skipped: no."]


@pytest.mark.parametrize("store", ["", "sqlite", "auto; rm"])
def test_no_other_store_can_be_asked_for(store: str, tmp_path: Path) -> None:
    """The server checks the store as it checks the subjects."""
    with pytest.raises(InputError, match="no store"):
        start(RunRequest(("answer",), store=store), {"answer"}, tmp_path)  # type: ignore[arg-type]

"""What this installation catches, on the Health page: never asked, all caught, some missed, asked anew, cut short."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from streamlit.testing.v1 import AppTest

from failtrace.hostile import Caught
from failtrace.hostile_result import HostileResult, last_result
from failtrace.subjects.hostile import HOSTILE

OpenPage = Callable[..., AppTest]
MARKUP = "![x](http://attacker.invalid/p.png)"
ABORT = Caught("abort", "Abort", True, "recorded with SIGABRT", "It was ended by SIGABRT.", None, 0.25, 20.0)
MISSED = Caught("hang", "Hangs", False, "ended at its deadline", f"{MARKUP} It took 9.0 s.", None, 9.0, 1.0)


def keep(home: Path, *caught: Caught) -> None:
    """An answer of three hours ago."""
    result = HostileResult(datetime.now(UTC) - timedelta(hours=3), "0.9", "3.11.1", caught)
    (home / "hostile.json").write_bytes(TypeAdapter(HostileResult).dump_json(result))


def texts(page: AppTest) -> list[str]:
    return [element.value for element in page.text]


def test_before_the_first_answer_it_says_what_the_button_does(open_page: OpenPage) -> None:
    """How many subjects, where, and what becomes of them; the button is there."""
    page = open_page("health")

    assert not page.exception
    assert any("Nobody has asked yet" in element.value for element in page.markdown)
    assert any(f"runs {len(HOSTILE)} hostile subjects" in element.value for element in page.caption)
    assert page.button(key="hostile").label == "Run the hostile subjects"


def test_all_caught_is_said_with_its_age(open_page: OpenPage, clean_environment: Path) -> None:
    """One sentence, and what was seen of each below it."""
    keep(clean_environment, ABORT)
    page = open_page("health")

    assert [element.value for element in page.success] == ["Every one is caught, and nothing beside them was touched."]
    assert "Asked 3 h ago, with failtrace 0.9 under Python 3.11.1." in texts(page)
    shown = page.expander[0]
    seen = "As expected: recorded with SIGABRT. Seen: It was ended by SIGABRT."
    assert [element.value for element in shown.text] == ["Abort", f"{seen}\nTook 0.2 s of at most 20 s."]
    assert [element.value for element in shown.markdown] == [":green[:material/check_circle:] Caught"]


def test_what_is_missed_comes_first_with_what_was_expected(open_page: OpenPage, clean_environment: Path) -> None:
    """Its words are text, whatever markup they hold."""
    keep(clean_environment, ABORT, MISSED)
    page = open_page("health")

    assert [element.value for element in page.error] == ["1 of 2 are not caught."]
    assert texts(page).index("Hangs") < texts(page).index("Abort")
    assert (
        f"Expected: ended at its deadline. Seen: {MARKUP} It took 9.0 s.\nEnded 8.0 s after its limit of 1 s."
        in texts(page)
    )
    assert not any(MARKUP in element.value for element in page.markdown)


def end_of_the_run() -> None:
    """Of the hostile subjects: the thread that waits for their process ends."""
    for thread in threading.enumerate():
        if thread.name == "hostile":
            thread.join(100)


@pytest.mark.timeout(120)
def test_the_button_runs_them_once_and_shows_what_came(open_page: OpenPage, clean_environment: Path) -> None:
    """In a process of its own; while it goes on, no tab starts another, and the last answer is gone from the page."""
    keep(clean_environment, ABORT)
    page, beside = open_page("health"), open_page("health")
    page.button(key="hostile").click().run()
    beside.run()
    for tab in (page, beside):
        assert tab.button(key="hostile").disabled
        assert not any(text.startswith("Asked ") for text in texts(tab))
    assert [thread.name for thread in threading.enumerate()].count("hostile") == 1

    end_of_the_run()
    page.run()
    result = last_result(clean_environment)

    assert not page.exception
    assert not page.button(key="hostile").disabled
    assert result is not None
    assert len(result.caught) == len(HOSTILE) + 2
    assert any(text.startswith("Asked ") for text in texts(page))
    assert {caught.title for caught in result.caught} <= set(texts(page))


def test_a_run_that_comes_to_no_end_is_one_sentence(
    open_page: OpenPage, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer before it stays."""
    keep(clean_environment, ABORT)
    page = open_page("health")
    monkeypatch.setenv("FAILTRACE_TIMEOUT", "never")
    page.button(key="hostile").click().run()
    end_of_the_run()
    page.run()

    assert [element.value for element in page.error] == ["The hostile subjects could not be run."]
    assert any("run `failtrace doctor --hostile` to see why" in text for text in texts(page))
    assert "Asked 3 h ago, with failtrace 0.9 under Python 3.11.1." in texts(page)

"""Health, with and without Cosmos DB: what is told, what can be done, and that a silent endpoint holds up no page."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from support.cosmos_fixtures import Cosmos, cosmos, cosmos_account, cosmos_service
from support.cosmos_proxy import HANG
from support.records import NOON, failure_id_of, item, make_record
from ui.test_pages import component

from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import Buried, UnreadableItem
from failtrace.storage.cosmos.account import CosmosAccount

__all__ = ["cosmos", "cosmos_account", "cosmos_service"]

OpenPage = Callable[..., AppTest]
HOSTILE = "![x](http://attacker.invalid/p.png)"


@pytest.fixture
def with_cosmos(cosmos: Cosmos, monkeypatch: pytest.MonkeyPatch) -> Cosmos:
    """The pages find this container in their environment."""
    for name, value in cosmos.environment.items():
        monkeypatch.setenv(name, value)
    return cosmos


def texts(page: AppTest) -> list[str]:
    return [element.value for element in page.text]


def test_without_cosmos_only_the_installation_is_looked_at(open_page: OpenPage) -> None:
    """Every finding of `doctor` is there, with its mark; of delivery it says that there is none."""
    page = open_page("health")

    assert not page.exception
    for check in ("python", "sqlite", "home", "journal", "mirror", "store", "delivery", "subjects", "process"):
        assert any(f"**{check}**" in element.value for element in page.markdown)
    assert "nothing to deliver: no Cosmos DB is set" in texts(page)
    assert [element.value for element in page.subheader] == ["This installation", "What it catches", "Who did what"]


def test_what_was_done_with_a_run_leads_to_it(open_page: OpenPage, mirror: Mirror) -> None:
    """The audit names the action, abridges the subjects, and links what has the id of a run."""
    mirror.start_run("run-1", subjects=["a", "b", "c", "d"], planned=4, pid=1, at=NOON)
    mirror.start_run("**x** y", subjects=["a"], planned=1, pid=1, at=NOON)
    mirror.note("exported", "2 failures")

    rows = component(open_page("health"), "list")["rows"]

    told = [(row["cells"]["deed"], row["cells"]["detail"], row["href"]) for row in rows]
    assert told == [
        ("exported", "2 failures", ""),
        ("started a run", "**x** y: a", ""),
        ("started a run", "run-1: a, b and 2 more", "run?run_id=run-1"),
    ]


def test_an_import_error_is_shown_as_text(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that cannot be imported is a failed finding, first in the list."""
    monkeypatch.setenv("FAILTRACE_SUBJECTS", "no_such_module")
    page = open_page("health")

    marks = [element.value for element in page.markdown]
    assert "not well" in marks[0]
    assert any("no_such_module" in text for text in texts(page))


def test_a_pause_is_told_on_health_and_on_every_page(with_cosmos: Cosmos, mirror: Mirror, open_page: OpenPage) -> None:
    """The sentence stands on Health; every other page points there."""
    mirror.outbox.pause(f"Cosmos DB refused COSMOS_KEY {HOSTILE}; set it to a current key.")

    health = open_page("health")
    assert any("paused" in element.value for element in health.error)
    assert any(HOSTILE in text for text in texts(health))
    for name in ("overview", "run", "failures", "failure"):
        page = open_page(name)
        assert [element.value for element in page.sidebar.warning] == [
            "Delivery to Cosmos DB is paused. Health says why."
        ]


def test_dead_letters_can_be_sent_again(with_cosmos: Cosmos, mirror: Mirror, open_page: OpenPage) -> None:
    """They are listed with why, hostile words as text, and the button puts them back into the outbox."""
    mirror.write([item(make_record(number=1, message=HOSTILE, ended_at=datetime.now(UTC)))], outbox=True)
    (waiting,) = mirror.outbox.due(1)
    mirror.outbox.bury([Buried(waiting.execution_id, 413, f"refused {HOSTILE}")])

    page = open_page("health")
    assert "Dead letters" in [element.value for element in page.subheader]
    assert not page.exception
    page.button(key="resend").click().run()

    assert not page.exception
    assert mirror.outbox.status().dead == 0


def test_unreadable_items_are_shown_as_they_are(with_cosmos: Cosmos, mirror: Mirror, open_page: OpenPage) -> None:
    """An item of another program: its id, why, and its JSON."""
    source = CosmosAccount.from_settings(with_cosmos.settings()).label
    mirror.inbox.take(source, (), watermark=1, unreadable=[UnreadableItem(HOSTILE, 1, "not ours", b'{"a": "\xff"}')])

    page = open_page("health")

    assert not page.exception
    assert HOSTILE in texts(page)
    assert any('{"a": "' in element.value for element in page.code)


@pytest.mark.parametrize("name", ["overview", "run", "failures", "failure", "health"])
def test_a_silent_endpoint_holds_up_no_page(
    with_cosmos: Cosmos, mirror: Mirror, open_page: OpenPage, name: str
) -> None:
    """Each page is there in little more than without Cosmos DB.

    The bound is the promise of a second and the page's own time; a connection to the endpoint hangs for minutes.
    """
    mirror.write([item(make_record(number=1, ended_at=datetime.now(UTC)))])
    with with_cosmos.proxy.failing(lambda _: HANG):
        open_page("run")
        start = time.monotonic()
        page = open_page(name, **({"failure_id": failure_id_of(1)} if name == "failure" else {}))
        took = time.monotonic() - start

    assert not page.exception
    assert took < 10


def test_an_id_that_only_cosmos_knows_is_waited_for(with_cosmos: Cosmos, mirror: Mirror, open_page: OpenPage) -> None:
    """While Cosmos DB is silent the page says that it waits; it does not say that there is no such failure."""
    with with_cosmos.proxy.failing(lambda _: HANG):
        page = open_page("failure", failure_id=failure_id_of(9))

    assert not page.exception
    assert any("Waiting for Cosmos DB" in element.value for element in page.markdown)


def test_a_mirror_that_was_set_aside_is_told_on_every_page(
    clean_environment: Path, open_page: OpenPage, mirror: Mirror
) -> None:
    """Whoever comes to any page learns of it, and Health says which file it is and what became of it."""
    del mirror
    aside = clean_environment / "mirror.sqlite.corrupt-20260101T000000"
    aside.write_bytes(b"damaged")
    aside.with_name(aside.name + ".txt").write_text("7 executions were taken over.\n")

    overview, health = open_page("overview"), open_page("health")

    assert ["A damaged mirror was set aside" in warning.value for warning in overview.warning] == [True]
    assert any("7 executions were taken over. Remove it when it is no use." in text.value for text in health.text)

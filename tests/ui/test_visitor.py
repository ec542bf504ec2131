"""Roles: what a viewer is shown, who counts as a runner, and a gate that stays shut when in doubt."""

import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.secrets import Secrets, secrets_singleton
from streamlit.testing.v1 import AppTest
from support.records import NOON, item, make_record
from ui.test_pages import component

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

AUTH = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "c" * 32}
PAGES = ("overview", "run", "failures", "failure", "compare", "health")
OpenPage = Callable[..., AppTest]
LogIn = Callable[..., AppTest]


@pytest.fixture
def log_in(open_page: OpenPage, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> LogIn:
    """`log_in("run", email=…)`: a page as this user sees it, behind a login; ada is a runner."""
    monkeypatch.setenv("FAILTRACE_RUNNERS", "Ada@Example.test, cyd@example.test")
    mirror.start_run("run-1", subjects=["answer"], planned=9, pid=os.getpid(), at=NOON)
    mirror.start_run("run-2", subjects=["answer"], planned=1, pid=os.getpid(), at=NOON)
    mirror.write([item(make_record(FailureType.EXCEPTION, number=1, message="the kettle is cold", run_id="run-2"))])
    mirror.finish_run("run-2", state="finished", not_run=0, bad_lines=0, at=NOON)

    def open_(name: str, /, *, logged_in: bool = True, params: dict[str, str] | None = None, **user: Any) -> AppTest:
        page = AppTest.from_file(str(Path(__file__).parents[2] / "pages" / f"{name}.py"), default_timeout=30)
        page.secrets["auth"] = AUTH
        page.user = {"is_logged_in": logged_in, **user}
        for key, value in (params or {}).items():
            page.query_params[key] = value
        return page.run()

    del open_page  # it opens and closes what the pages share
    return open_


@pytest.fixture
def secrets_unread() -> Iterator[None]:
    """What Streamlit itself has read of this test's secrets.toml is no other test's."""
    yield
    secrets_singleton._reset()


def buttons(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


@pytest.mark.parametrize("name", PAGES)
def test_nobody_gets_past_the_gate_without_a_login(log_in: LogIn, name: str) -> None:
    """As a first request, each page is the gate and nothing else."""
    page = log_in(name, logged_in=False)

    assert buttons(page) == {"Log in"}
    assert [node.value for node in page.main if hasattr(node, "value")][:2] == [
        "failtrace",
        "This dashboard asks for a login.",
    ]
    assert not page.exception


@pytest.mark.parametrize(
    ("user", "may_run"),
    [
        ({"email": "ada@example.test"}, True),
        ({"email": "ADA@EXAMPLE.TEST", "email_verified": True}, True),
        ({"email": "ada@example.test", "email_verified": "True"}, True),
        ({"email": "ada@example.test", "email_verified": False}, False),
        ({"email": "ada@example.test", "email_verified": "false"}, False),
        ({"email": "ada@example.test", "email_verified": "False"}, False),
        ({"email": "ada@example.test", "email_verified": 0}, False),
        ({"email": "ada@example.test", "email_verified": 1}, False),
        ({"email": "ada@example.test", "email_verified": None}, False),
        ({"email": "ada@example.test", "email_verified": ""}, False),
        ({"email": "bob@example.test"}, False),
        ({"email": "ada@example.test.attacker.invalid"}, False),
        ({"email": ["ada@example.test"]}, False),
        ({"name": "ada@example.test"}, False),
    ],
)
def test_only_a_named_runner_finds_a_way_to_run(log_in: LogIn, user: dict[str, Any], may_run: bool) -> None:
    """Run, Cancel and the way to run it anew stand for a runner; who is none sees the runs alone."""
    going = log_in("run", params={"run_id": "run-1"}, **user)
    ended = log_in("run", params={"run_id": "run-2"}, **user)

    shown = buttons(going) | buttons(ended)
    assert not going.exception
    assert not ended.exception
    ways = {"Run", "Cancel", "Run on its examples"}
    assert ways & shown == (ways if may_run else set())
    assert "Log out" in shown


def test_a_login_is_filed_once_for_all_its_tabs(log_in: LogIn, mirror: Mirror) -> None:
    """Two tabs of one login are one entry, the next login is another; Health shows them."""
    for issued_at in (1, 1, 2):
        page = log_in("health", email="bob@example.test", iat=issued_at)

    logins = [(row.who, row.detail) for row in mirror.audit()[0] if row.deed == "logged in"]
    assert logins == [("bob@example.test", "token of 2"), ("bob@example.test", "token of 1")]
    assert "bob@example.test" in {row["cells"]["who"] for row in component(page, "list")["rows"]}


def test_who_starts_the_dashboard_without_a_login_is_its_runner(open_page: OpenPage) -> None:
    """Nobody but this machine can ask then; what is said of a user counts for nothing."""
    page = open_page("run")

    assert {"Run", "Log in", "Log out"} & buttons(page) == {"Run"}
    assert pwd.getpwuid(os.getuid()).pw_name not in [text.value for text in page.sidebar.text]


@pytest.mark.parametrize("content", [b"[auth\nnonsense", b"\xff\xfe[auth]", None], ids=["syntax", "bytes", "a folder"])
def test_secrets_that_cannot_be_read_keep_the_gate_shut(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """The file may hold [auth]: one sentence, no data, no button to run."""
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.mkdir() if content is None else secrets.write_bytes(content)
    monkeypatch.chdir(tmp_path)

    page = open_page("run")

    assert not page.exception
    assert any("cannot be read" in text.value for text in page.text)
    assert buttons(page) == set()


@pytest.mark.parametrize("left", ["", "[other]\n", None], ids=["emptied", "cut", "removed"])
def test_a_login_that_was_seen_is_not_forgotten_by_another_session(
    log_in: LogIn, secrets_unread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str | None
) -> None:
    """Whoever asks while secrets.toml has lost its [auth] finds the gate shut, and the login once it is back."""
    monkeypatch.chdir(tmp_path)
    # What AppTest does with secrets of a test, here with those of a file: the watcher of files stays out of it.
    monkeypatch.setattr(st, "secrets", Secrets())
    assert buttons(log_in("run", logged_in=False)) == {"Log in"}
    if left is not None:
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text(left)

    page = AppTest.from_file(str(Path(__file__).parents[2] / "pages" / "run.py"), default_timeout=30).run()

    assert not page.exception
    assert [error.value for error in page.error] == ["The login cannot be set up."]
    assert buttons(page) == set()
    assert buttons(log_in("run", logged_in=False)) == {"Log in"}

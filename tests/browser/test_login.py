"""The login as people have it: a real provider, a real browser, and nothing of the data before it."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser.conftest import Open
from joserfc.jwk import RSAKey
from playwright.sync_api import Page, WebSocket, expect
from support.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider
from support.records import NOON, failure_id_of, item, make_record

from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror

SECRET = "the kettle is cold"
ADDRESSES = (
    "/",
    "/overview",
    "/run",
    "/run?run_id=run-1",
    "/failures",
    f"/failure?failure_id={failure_id_of(1)}",
    f"/compare?left={failure_id_of(1)}&right={failure_id_of(2)}",
    "/health",
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider() as started:
        started.person = {"email": "ada@example.test", "email_verified": True}
        yield started


@pytest.fixture
def home(home: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Failures that nobody may see without a login, a run that goes on, and one runner: ada."""
    secrets = home / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{"c" * 40}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
server_metadata_url = "{provider.origin}/.well-known/openid-configuration"
"""
    )
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(secrets))
    monkeypatch.setenv("FAILTRACE_RUNNERS", "ada@example.test")
    with Mirror.open(home / "mirror.sqlite") as mirror:
        mirror.start_run("run-1", subjects=[SECRET], planned=9, pid=os.getpid(), at=NOON)
        records = [make_record(FailureType.EXCEPTION, number=n, message=SECRET, subject=SECRET) for n in (1, 2)]
        mirror.write([item(record) for record in records])
    return home


class Heard:
    """All that the server told a page: its WebSocket's frames."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda told: self.frames.append(told if isinstance(told, bytes) else told.encode()))

    def knows(self, words: str) -> bool:
        return any(words.encode() in frame for frame in self.frames)


def settled(page: Page) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def log_in(page: Page) -> None:
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_without_a_login_every_page_is_the_gate_and_nothing_else(open_: Open, server: str, provider: Provider) -> None:
    """As a fresh server's first requests: neither what is drawn nor what the server sent holds a failure."""
    page = open_("/_stcore/health")
    heard = Heard(page)
    for address in ADDRESSES:
        page.goto(server + address)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        settled(page)
        assert SECRET not in page.content()
        # Streamlit's own link for keyboards leads to the same page.
        expect(page.locator("a:not([href='#stMain'])")).to_have_count(0)

    assert heard.frames
    assert not heard.knows(SECRET)
    assert not heard.knows(failure_id_of(2))
    log_in(page)
    page.goto(f"{server}/failures")
    expect(page.get_by_text(SECRET).first).to_be_visible()
    # What was looked for above is there to be found.
    assert heard.knows(SECRET)
    print(f"\nwithout login: {len(ADDRESSES)} of {len(ADDRESSES)} addresses show the gate alone")


def test_who_logs_in_sees_the_pages_until_they_log_out(
    open_: Open, server: str, provider: Provider, home: Path
) -> None:
    """The provider is asked for all it has to vouch for; a runner may run; after the log-out the gate is back."""
    page = open_("/")
    log_in(page)
    assert [path for path in provider.asked if path in ("/authorize", "/token", "/jwks")] == [
        "/authorize",
        "/token",
        "/jwks",
    ]
    expect(page.get_by_test_id("stSidebar").get_by_text("ada@example.test")).to_be_visible()
    page.goto(f"{server}/run")
    page.get_by_text("New run").click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopping…")).to_be_visible()
    with Mirror.open(home / "mirror.sqlite") as mirror:
        deeds = [(row.who, row.deed) for row in mirror.audit()[0]][:2]
    assert deeds == [("ada@example.test", "cancelled a run"), ("ada@example.test", "logged in")]

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert "/logout" in provider.asked
    page.goto(f"{server}/failures")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert SECRET not in page.content()


def test_a_viewer_finds_no_way_to_run(open_: Open, server: str, provider: Provider) -> None:
    """Somebody else of the same provider sees the failures and the runs, and no button that starts or ends one."""
    provider.person = {"email": "bob@example.test", "email_verified": True}
    page = open_("/")
    log_in(page)
    for address in ADDRESSES:
        page.goto(server + address)
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        settled(page)
        assert not {"Run", "Cancel", "Run again", "Run on its examples"} & set(
            page.get_by_role("button").all_inner_texts()
        )
    page.goto(f"{server}/failures")
    expect(page.get_by_text(SECRET).first).to_be_visible()


def test_a_token_that_the_provider_did_not_sign_is_no_login(open_: Open, server: str, provider: Provider) -> None:
    """Signed with a key that is not among the provider's: the browser comes back to the gate."""
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    page = open_("/failures")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()

    assert "/token" in provider.asked
    page.goto(f"{server}/failures")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert SECRET not in page.content()


@pytest.mark.parametrize("left", ["", 'title = "x"\n'], ids=["emptied", "cut"])
def test_a_file_that_loses_its_login_while_the_server_runs_opens_nothing(
    open_: Open, server: str, home: Path, left: str
) -> None:
    """As an editor that saves in place does it: the gate stays shut until [auth] is back, and asks again then."""
    secrets = home / "secrets.toml"
    whole = secrets.read_text()
    page = open_("/failures")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()

    secrets.write_text(left)
    # The server looks at the file now and then: until it has, its gate is the login's.
    load_until(page, f"{server}/failures", "The login cannot be set up.")
    page.goto(f"{server}/run")
    expect(page.get_by_text("secrets.toml no longer asks for a login")).to_be_visible()
    assert "Run" not in page.get_by_role("button").all_inner_texts()

    secrets.write_text(whole)
    load_until(page, f"{server}/failures", "This dashboard asks for a login.")


def load_until(page: Page, url: str, words: str) -> None:
    """Load a page again and again until it says this; before, it may be the other gate, and never a failure."""
    gates = page.get_by_text("This dashboard asks for a login.").or_(page.get_by_text("The login cannot be set up."))
    for _ in range(200):
        page.goto(url)
        expect(gates.or_(page.get_by_text(SECRET)).first).to_be_visible()
        settled(page)
        assert SECRET not in page.content()
        if page.get_by_text(words).count():
            return
    pytest.fail(f"{url} never said {words!r}")

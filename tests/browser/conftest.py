"""A fresh server and a real Chromium, both ended with the module; what Chromium asked for and said is kept."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.install_chromium import find_chromium
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from support.cosmos_fixtures import cosmos, cosmos_account, cosmos_service

__all__ = ["cosmos", "cosmos_account", "cosmos_service"]

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Open = Callable[..., Page]
# A busy machine draws late; what never comes is still missed.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for test in items:
        if Path(__file__).parent in test.path.parents:
            test.add_marker(pytest.mark.browser)


class Watch:
    """What a page asked for beyond its own server, and what it complained about."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.foreign: list[str] = []
        self.errors: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, self.origin.replace("http", "ws", 1), "data:", "blob:")):
            self.foreign.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit's own client first asks for its server below the page's path, then above it.
        probe = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not probe:
            self.errors.append(message.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: Playwright keeps an event loop running, in which other tests could start none."""
    found = find_chromium()
    if found is None:
        sentence = "No Chromium: install `chromium` with your packages, or run `playwright install chromium`."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def home(clean_environment: Path) -> Path:
    """FAILTRACE_HOME of the test's server, there to be filled before the server is asked for."""
    clean_environment.mkdir(parents=True, exist_ok=True)
    return clean_environment


@pytest.fixture
def server(home: Path) -> Iterator[str]:
    """A server that nobody has asked anything yet; gives its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    environment = {**os.environ, "FAILTRACE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    origin = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(process, f"{origin}/_stcore/health")
        yield origin
    finally:
        # Not by SIGTERM: a server that is just starting can miss it.
        process.kill()
        process.wait(10)


@pytest.fixture
def watch(server: str) -> Watch:
    return Watch(server)


@pytest.fixture
def open_(browser: Browser, server: str, watch: Watch) -> Iterator[Open]:
    """`open_("/failures?…")`: a new tab on that address, watched."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    context.on("page", watch.follow)

    def open_tab(path: str) -> Page:
        page = context.new_page()
        page.goto(server + path)
        return page

    yield open_tab
    context.close()


def _wait_until_healthy(process: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "the server ended at once"
            # Nothing tells a stranger that a port is about to open: ask again shortly.
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no answer from {url}")

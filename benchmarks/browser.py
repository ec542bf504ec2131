"""A Streamlit server with the dashboard's configuration, and the Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

APP = Path(__file__).parents[1] / "app.py"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_LIMIT_S = 60.0


def chromium() -> str | None:
    """The browser's command, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing() -> str:
    """What of all that is needed is not there, in words; empty where all is."""
    absent = {"Chromium": not chromium(), "Playwright": not find_spec("playwright"), "the dashboard": not APP.exists()}
    return " and ".join([name for name, is_absent in absent.items() if is_absent])


@contextmanager
def served(script: Path, home: Path) -> Iterator[str]:
    """A server for the script over this home folder; gives its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    environment = {**os.environ, "FAILTRACE_HOME": str(home)}
    server = subprocess.Popen(
        command, cwd=APP.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(url: str) -> None:
    give_up = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)

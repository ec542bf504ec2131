"""The dashboard as `failtrace dashboard` starts it, asked by whoever should not be let in."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from streamlit import config
from support.handshake import handshake

from failtrace.cli.dashboard import look_for_login
from failtrace.login_seen import login_was_seen
from failtrace.ui.run.request import LONGEST_INPUTS

STREAM = "/_stcore/stream"
OPEN_TO_ALL = '[server]\naddress = "0.0.0.0"\nallowedHosts = ["*"]\nenableCORS = false\nenableXsrfProtection = false\n'


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[psutil.Process]:
    """Started in a folder whose own configuration would open it to everybody."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(OPEN_TO_ALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # A foreign Origin makes Streamlit ask another host for its own address: a proxy that nobody is keeps that in.
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    process = subprocess.Popen(
        [sys.executable, "-m", "failtrace", "dashboard", "--port", str(port)],
        cwd=tmp_path,
        env={**os.environ, **proxies, "no_proxy": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(process, f"http://127.0.0.1:{port}/_stcore/health")
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait(10)


def _wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "the dashboard ended at once"
            # Nothing tells a stranger that a port is about to open: ask again shortly.
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no answer from {url}")


def test_who_comes_by_a_foreign_name_or_from_a_foreign_page_is_refused(dashboard: psutil.Process) -> None:
    """It listens on 127.0.0.1 alone, and answers neither a rebound name nor another site's script."""
    listening = [it.laddr for it in dashboard.net_connections("inet") if it.status == psutil.CONN_LISTEN]
    assert [address.ip for address in listening] == ["127.0.0.1"]
    port = listening[0].port
    own, named = f"127.0.0.1:{port}", f"localhost:{port}"

    refused = {
        (host, origin): handshake(port, STREAM, host=host, origin=origin)
        for host, origin in (
            ("attacker.invalid", None),
            (f"attacker.invalid:{port}", f"http://attacker.invalid:{port}"),
            (f"127.0.0.1.attacker.invalid:{port}", None),
            (f"127.0.0.1@attacker.invalid:{port}", None),
            ("192.0.2.7", None),
            ("0.0.0.0", None),
            ("", None),
            (own, "http://attacker.invalid"),
            (own, f"https://127.0.0.1.attacker.invalid:{port}"),
            (named, "http://attacker.invalid"),
            (own, "null"),
            (own, ""),
        )
    }
    let_in = [handshake(port, STREAM, host=host, origin=f"http://{host}") for host in (own, named)]

    assert {who: status for who, status in refused.items() if status not in (400, 403)} == {}
    assert let_in == [101, 101]
    print(f"\nforeign Host or Origin: {len(refused)} of {len(refused)} WebSockets refused, 2 of 2 of our own let in")


@pytest.mark.parametrize("content", [None, b"[auth", b"\xff\xfe[auth]"], ids=["a folder", "syntax", "bytes"])
def test_secrets_that_cannot_be_read_are_a_sentence_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    """Streamlit would end with a traceback, or ask nobody for a login: the command says which file it is."""
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.mkdir() if content is None else secrets.write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-m", "failtrace", "dashboard"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "The secrets" in done.stderr
    assert "cannot be read" in done.stderr


def test_an_upload_is_as_long_as_inputs_may_be(tmp_path: Path) -> None:
    """Neither the folder's own configuration nor the environment makes Streamlit keep a longer one in memory."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nmaxUploadSize = 300\n")
    asked = (
        "from streamlit import config; from failtrace.cli.dashboard import app_path; "
        "config._main_script_path = str(app_path()); print(config.get_option('server.maxUploadSize'))"
    )
    environment = {**os.environ, "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "400"}

    told = subprocess.check_output([sys.executable, "-c", asked], cwd=tmp_path, env=environment, text=True)

    assert int(told) * 2**20 == LONGEST_INPUTS


def test_a_port_that_is_taken_is_a_sentence_at_the_start(tmp_path: Path) -> None:
    """Exit 2 and the way on, and not first that it runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "failtrace", "dashboard", "--port", str(port)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"failtrace: The dashboard cannot start: port {port} on 127.0.0.1 is taken by another program; "
        "give another with --port.\n"
    )


def test_a_login_is_remembered_before_anybody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is emptied between the start and the first page opens nothing."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth]\nclient_id = 'x'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_main_script_path", None)  # what the command sets in its own process
    assert not login_was_seen()

    look_for_login()

    assert login_was_seen()

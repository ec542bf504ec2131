"""A thin proxy before the Cosmos DB compatible server: puts right where it differs from Azure, and injects faults.

Put right: 404 where the server answers 500 for a missing item; 413 for an item above 2 MB; 401 for a signature that is
not of the account's key; 400 for an item whose partition key header is not its own.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

ITEM_MOST = 2 * 1024 * 1024
_DOCS = re.compile(r"^/dbs/[^/]+/colls/[^/]+/docs(/|$)")
_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_item(self) -> bool:
        """Of the data plane."""
        return bool(_DOCS.match(self.path))

    @property
    def is_query(self) -> bool:
        return self.headers.get("x-ms-documentdb-isquery", "").lower() == "true" or "query" in self.headers.get(
            "content-type", ""
        )

    @property
    def is_create(self) -> bool:
        return self.is_item and self.method == "POST" and not self.is_query

    @property
    def is_read(self) -> bool:
        return self.is_item and self.method == "GET" and not self.path.rstrip("/").endswith("/docs")

    @property
    def item_id(self) -> str:
        """The id of the item that is made or read."""
        if self.is_create:
            return str(json.loads(self.body).get("id"))
        return unquote(self.path.rsplit("/", 1)[-1])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Seen:
    """A line of the log."""

    method: str
    path: str
    status: int
    bytes: int
    kind: str
    """`create`, `read`, `query` of items, or `other`."""


def refusal(status: int, message: str, code: str = "", **headers: str) -> Answer:
    """An answer as Azure words its errors."""
    body = json.dumps({"code": code or str(status), "message": message}).encode()
    return Answer(status, {"content-type": "application/json", "x-ms-request-charge": "0", **headers}, body)


HANG = "hang"
DROP = "drop"
COMMIT_THEN_DROP = "commit_then_drop"

Fault = Callable[[Request], "Answer | str | None"]
"""What to do with a request: an answer in place of the server's, HANG, DROP, COMMIT_THEN_DROP, or None for nothing."""


class CosmosProxy:
    """Listens on loopback; one thread a connection, each with a connection of its own to the server behind."""

    def __init__(self, upstream_port: int, key: str) -> None:
        self.upstream_port = upstream_port
        self.key = key
        self.fault: Fault | None = None
        self.check_signatures = True
        self.log: list[Seen] = []
        self.after_create: Callable[[Request], None] | None = None
        """Called between the server's commit and our answer."""
        self.healed = threading.Event()
        self._open: set[socket.socket] = set()
        self._server = self._listen(0)
        self.port = self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def seen(self, kind: str) -> list[Seen]:
        """The log's lines of that kind."""
        return [line for line in self.log if line.kind == kind]

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """While inside, requests meet that fault."""
        self.healed.clear()
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None
            self.healed.set()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """While inside, nobody listens and all connections are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._cut()
        try:
            yield
        finally:
            self._server = self._listen(self.port)

    def close(self) -> None:
        self.healed.set()
        self._server.shutdown()
        self._server.server_close()
        self._cut()

    def _cut(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _listen(self, port: int) -> ThreadingHTTPServer:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that has gone is no news."""

        server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


class _Handler(BaseHTTPRequestHandler):
    owner: CosmosProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.owner._open.add(self.connection)
        self.upstream: http.client.HTTPConnection | None = None

    def finish(self) -> None:
        self.owner._open.discard(self.connection)
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    def log_message(self, *args: Any) -> None:
        """The proxy has a log of its own."""

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        fault = self.owner.fault
        met = fault(request) if fault else None
        if met == HANG:
            self.owner.healed.wait()
            self.close_connection = True
            return
        if met == DROP:
            self.close_connection = True
            return
        answer = met if isinstance(met, Answer) else self._answer(request)
        if request.is_create and answer.status == 201 and self.owner.after_create:
            self.owner.after_create(request)
        kind = (
            "create" if request.is_create else "read" if request.is_read else "query" if request.is_query else "other"
        )
        self.owner.log.append(Seen(request.method, request.path, answer.status, len(body), kind))
        if met == COMMIT_THEN_DROP:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815  http.server's names

    def _answer(self, request: Request) -> Answer:
        if self.owner.check_signatures and not _is_signed(request, self.owner.key):
            return refusal(401, "The input authorization token can't serve the request.", "Unauthorized")
        if request.is_create and len(request.body) > ITEM_MOST:
            return refusal(413, "Request size is too large", "RequestEntityTooLarge")
        if request.is_create and not _fits_partition(request):
            return refusal(400, "PartitionKey extracted from document doesn't match the one in the header.")
        answer = self._forward(request)
        if request.is_read and answer.status == 500 and b"Cannot read properties of undefined" in answer.body:
            return refusal(404, "Entity with the specified id does not exist in the system.", "NotFound")
        return answer

    def _forward(self, request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        for attempt in (1, 2):
            if self.upstream is None:
                self.upstream = http.client.HTTPConnection("127.0.0.1", self.owner.upstream_port)
            try:
                self.upstream.request(request.method, request.path, request.body, headers)
                response = self.upstream.getresponse()
                body = response.read()
                return Answer(response.status, dict(response.getheaders()), body)
            except (OSError, http.client.HTTPException):
                # The server closes a connection after each answer; one that had just gone is made anew.
                self.upstream.close()
                self.upstream = None
                if attempt == 2:
                    raise
        raise AssertionError


def _is_signed(request: Request, key: str) -> bool:
    """Whether the authorization header is the account key's, as Azure's REST reference defines it."""
    parts = dict(part.split("=", 1) for part in unquote(request.headers.get("authorization", "")).split("&") if part)
    if parts.get("type") != "master":
        return False
    segments = request.path.split("?")[0].strip("/").split("/")
    named = len(segments) % 2 == 0
    kind = segments[-2] if named and segments[-1] else segments[-1]
    link = "/".join(segments if named else segments[:-1])
    text = f"{request.method.lower()}\n{kind.lower()}\n{unquote(link)}\n{request.headers['x-ms-date'].lower()}\n\n"
    made = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    return hmac.compare_digest(parts.get("sig", ""), made)


def _fits_partition(request: Request) -> bool:
    told = request.headers.get("x-ms-documentdb-partitionkey")
    return told is None or json.loads(told) in ([json.loads(request.body).get("failure_id")], [{}], [])

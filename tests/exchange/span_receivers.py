"""Receivers of spans on loopback: real HTTP servers that decode what the real exporters send."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KEY = "11111111-2222-3333-4444-555555555555"


class Receiver(ThreadingHTTPServer):
    """Keeps every request; answers `code`, or nothing at all while `hangs`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.code = 200
        self.hangs = False
        self.released = threading.Event()
        self.asked = threading.Event()
        self.requests: list[tuple[str, str, bytes]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str) -> bytes:
        """The body of a good answer."""
        return b""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.requests.append((self.command, self.path, body))
        self.server.asked.set()
        if self.server.hangs:
            self.server.released.wait()
            return
        answer = self.server.answer(self.command, self.path) if self.server.code == 200 else b"{}"
        self.send_response(self.server.code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815  the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


class OtlpReceiver(Receiver):
    """An OpenTelemetry collector's HTTP port."""

    def spans(self) -> list[Any]:
        return [span for one in self._resource_spans() for scope in one.scope_spans for span in scope.spans]

    def service_names(self) -> set[str]:
        return {attributes_of(one.resource)["service.name"] for one in self._resource_spans()}

    def _resource_spans(self) -> Iterator[Any]:
        for _, path, body in self.requests:
            assert path == "/v1/traces"
            yield from ExportTraceServiceRequest.FromString(body).resource_spans


def attributes_of(holder: Any) -> dict[str, Any]:
    """The attributes of a span, event or resource of the protocol."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


class BreezeReceiver(Receiver):
    """Application Insights' ingestion endpoint."""

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}"

    def answer(self, method: str, path: str) -> bytes:
        count = len(_lines(self.requests[-1][2]))
        return json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()

    def items(self, base_type: str) -> list[dict[str, Any]]:
        """The telemetry items of one kind, e.g. `RequestData`."""
        everything = [item for _, _, body in self.requests for item in _lines(body)]
        return [item for item in everything if item["data"]["baseType"] == base_type]


def _lines(body: bytes) -> list[dict[str, Any]]:
    """A JSON array, or one JSON object a line: the service takes either."""
    text = body.decode()
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


class FoundryReceiver(Receiver):
    """A Foundry project that knows one Application Insights resource."""

    def __init__(self, certificate: Path, connection_string: str | None) -> None:
        super().__init__()
        self._connection_string = connection_string
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def project(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/api/projects/shop"

    def answer(self, method: str, path: str) -> bytes:
        connection = {
            "name": "insights",
            "id": "insights",
            "type": "AppInsights",
            "target": "insights",
            "isDefault": True,
            "metadata": {},
            "credentials": {"type": "None"},
        }
        if method == "GET":
            return json.dumps({"value": [connection] if self._connection_string else []}).encode()
        assert path.startswith("/api/projects/shop/connections/insights/getConnectionWithCredentials")
        return json.dumps({**connection, "credentials": {"type": "ApiKey", "key": self._connection_string}}).encode()


def write_certificate(folder: Path) -> Path:
    """A key with a certificate that it signed itself for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def refused_port() -> Iterator[str]:
    """An endpoint at which nobody listens, for as long as the block lasts."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"

"""A WebSocket's opening request, word by word: a browser would not send the headers that have to be refused."""

import http.client
import secrets
from base64 import b64encode


def handshake(port: int, path: str, *, host: str, origin: str | None) -> int:
    """Ask the dashboard on that port for a WebSocket; gives the status of its answer, 101 where it was let in."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        headers = {
            "Host": host,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": b64encode(secrets.token_bytes(16)).decode(),
            "Sec-WebSocket-Protocol": "streamlit",
        }
        for name, value in (headers | ({"Origin": origin} if origin is not None else {})).items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()

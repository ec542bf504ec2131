"""Messages between a host and its forkserver: a JSON head, a blob, and open descriptors, over a Unix socket."""

import json
import os
import select
import socket
import struct
from typing import Any, NamedTuple

_SIZES = struct.Struct("!II")
MAX_BLOB = 512 * 1024 * 1024
"""Bytes of a pickled subject and input that are still sent."""
LOAD_LIMIT_S = 60.0
"""Seconds a process may take to load its subject."""


class Message(NamedTuple):
    """One message, its descriptors now this process's own."""

    head: dict[str, Any]
    blob: bytes
    fds: list[int]


def send(connection: socket.socket, head: dict[str, Any], blob: bytes = b"", fds: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError where the other side is gone."""
    body = json.dumps(head).encode()
    sizes = _SIZES.pack(len(body), len(blob))
    if fds:
        socket.send_fds(connection, [sizes], list(fds))
    else:
        connection.sendall(sizes)
    connection.sendall(body + blob)


def receive(connection: socket.socket) -> Message | None:
    """The next message; None where the other side is gone."""
    try:
        start, fds, _, _ = socket.recv_fds(connection, _SIZES.size, 4)
        if not start:
            return None
        sizes = start + _exactly(connection, _SIZES.size - len(start))
        head, blob = _SIZES.unpack(sizes)
        body = _exactly(connection, head + blob)
    except (OSError, EOFError):
        return None
    for fd in fds:
        os.set_inheritable(fd, False)
    return Message(json.loads(body[:head]), body[head:], fds)


def readable(connection: socket.socket, timeout: float) -> bool:
    """Whether something, the end included, can be read within `timeout` seconds. Any descriptor number will do."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = connection.recv(min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)

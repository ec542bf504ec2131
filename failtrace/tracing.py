"""Spans of every execution, also to an OTLP endpoint, Azure Monitor or an Azure AI Foundry project.

The host sends them from the finished record: also the steps of a process that was killed are sent, everything is
sanitised and redacted already, no subject has to change, and a receiver that hangs or fails touches no execution.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from failtrace.errors import SettingsError
from failtrace.exchange.destinations import (
    PROJECT_ENDPOINTS,
    VARIABLES,
    destinations_of_environment,
    destinations_of_exporters,
)
from failtrace.exchange.sender import DestinationStatus, Sender
from failtrace.exchange.spans import own_resource
from failtrace.guard import GUARD

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from opentelemetry.sdk.trace.export import SpanExporter

    from failtrace.contracts import TraceRecord

__all__ = [
    "DestinationStatus",
    "Tracing",
    "configure_from_environment",
    "configure_tracing",
    "export",
    "flush",
    "shutdown",
    "status",
]

EXIT_LIMIT_S = 5.0
"""How long the end of the program waits for what is still to be sent."""

_senders: tuple[Sender, ...] = ()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans go from now on."""

    destinations: tuple[str, ...]


def configure_tracing(*, exporters: Sequence[SpanExporter] = (), credential: TokenCredential | None = None) -> Tracing:
    """Send the spans of every execution of this process to what the environment names, and to `exporters`.

    Read are OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, and
    APPLICATIONINSIGHTS_CONNECTION_STRING, or else AZURE_AI_PROJECT_ENDPOINT or FOUNDRY_PROJECT_ENDPOINT, whose project
    is asked for that string in the background, as `credential` (DefaultAzureCredential where it is None).

    A second call adds what is new and nothing else. Raises SettingsError where nothing is named, where a value cannot
    be used, and where the extra is not installed.
    """
    global _senders
    with _lock:
        wanted = (*destinations_of_environment(credential), *destinations_of_exporters(exporters))
        if not wanted:
            raise SettingsError(
                "configure_tracing() found nowhere to send spans to; set OTEL_EXPORTER_OTLP_ENDPOINT, "
                f"APPLICATIONINSIGHTS_CONNECTION_STRING or {PROJECT_ENDPOINTS[0]}, or give exporters."
            )
        known = {sender.destination.key for sender in _senders}
        resource = own_resource()
        _senders = (*_senders, *(Sender(new, resource) for new in wanted if new.key not in known))
        return Tracing(tuple(sender.destination.name for sender in _senders))


def configure_from_environment() -> str:
    """As `configure_tracing()`, for a program that did not ask for it by name: nothing where nothing is named.

    Gives one sentence where what is named cannot be used, else an empty text.
    """
    if not any(os.environ.get(variable) for variable in VARIABLES):
        return ""
    try:
        configure_tracing()
    except SettingsError as error:
        return str(error)
    return ""


def export(record: TraceRecord) -> None:
    """Have the spans of a finished execution sent; failtrace calls it after each. Never raises, never waits."""
    for sender in _senders:
        with GUARD:
            sender.take(record)


def flush(timeout_s: float = EXIT_LIMIT_S) -> bool:
    """Wait until all that was handed over is sent or dropped, `timeout_s` seconds at most; whether it is."""
    deadline = time.monotonic() + timeout_s
    flushed = [sender.flush(deadline) for sender in _senders]
    return all(flushed)


def shutdown(timeout_s: float = EXIT_LIMIT_S) -> bool:
    """Send what waits, `timeout_s` seconds at most, and send nothing afterwards; whether all was sent.

    The end of the program does this by itself. `configure_tracing()` may be called again.
    """
    global _senders
    with _lock:
        stopped, _senders = _senders, ()
    deadline = time.monotonic() + timeout_s
    emptied = [sender.stop(deadline) for sender in stopped]
    return all(emptied)


def status() -> tuple[DestinationStatus, ...]:
    """For each destination: how much waits, was sent and was dropped, and the last error."""
    return tuple(sender.status() for sender in _senders)


def _begin_anew() -> None:
    """In a forked child: no lock is held, no thread runs, and what waits is the parent's to send."""
    global _lock, _senders
    _lock = threading.Lock()
    _senders = tuple(sender.again() for sender in _senders)


atexit.register(shutdown)
os.register_at_fork(after_in_child=_begin_anew)

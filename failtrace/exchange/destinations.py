"""Where spans go: read from the environment variables that OpenTelemetry and Azure have for it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter

from failtrace.capture.sanitiser import Marks, sanitise_text
from failtrace.errors import SettingsError
from failtrace.exchange import azure, otlp

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
PROJECT_ENDPOINTS = ("AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT")
"""Both names that Azure's own samples use. Their older PROJECT_ENDPOINT could mean any project of any tool."""

VARIABLES = (
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    CONNECTION_STRING,
    *PROJECT_ENDPOINTS,
)
"""Any of these names a destination."""

_PROTOCOL = "http/protobuf"
# What Azure's own parser takes as a key: https://learn.microsoft.com/azure/azure-monitor/app/connection-strings
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Destination:
    """One receiver of spans. It is opened in the background, as often as a process needs it anew."""

    name: str
    """For people: what it is and where, without credentials."""
    key: Hashable
    """Two destinations with one key are the same."""
    open: Callable[[Resource], SpanExporter]
    """Makes the exporter, for spans of this resource; may ask the network and raise anything."""
    loggers: tuple[str, ...] = ()
    """Where its exporter logs why it failed; OpenTelemetry's interface has no other place for a reason."""


def destinations_of_environment(credential: TokenCredential | None = None) -> tuple[Destination, ...]:
    """The destinations that the environment names. Raises SettingsError for a value or an extra that is wrong."""
    found = (_otlp(), _azure_monitor() or _foundry(credential))
    return tuple(destination for destination in found if destination is not None)


def destinations_of_exporters(exporters: Iterable[SpanExporter]) -> Iterator[Destination]:
    """Exporters that the caller made himself."""
    for exporter in exporters:
        yield Destination(type(exporter).__name__, exporter, partial(_itself, exporter))


def _itself(exporter: SpanExporter, _: Resource) -> SpanExporter:
    return exporter


def _otlp() -> Destination | None:
    variable = _first_set(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)
    if variable is None:
        return None
    url = _url(variable)
    protocol = _first_set(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_PROTOCOL)
    if protocol is not None and os.environ[protocol] != _PROTOCOL:
        raise SettingsError(
            f"{protocol} is set to {os.environ[protocol]!r}, but failtrace sends {_PROTOCOL} only; unset it and set "
            f"{variable} to the collector's HTTP port, which is 4318 as a rule."
        )
    _require(otlp.MODULES, "otlp", variable)
    path = "" if variable == OTEL_EXPORTER_OTLP_TRACES_ENDPOINT else "/v1/traces"
    where = f"{_shown(url)}{path}"
    return Destination(f"OTLP {where}", ("otlp", where), otlp.open_exporter, otlp.LOGGERS)


def _azure_monitor() -> Destination | None:
    if not os.environ.get(CONNECTION_STRING):
        return None
    connection_string = os.environ[CONNECTION_STRING]
    parts = _connection_parts(connection_string)
    azure.keep_to_the_endpoint()
    _require(azure.MONITOR_MODULES, "azure", CONNECTION_STRING)
    return Destination(
        f"Azure Monitor {parts.get('ingestionendpoint') or parts.get('endpointsuffix') or 'of the public cloud'}",
        ("azure", connection_string),
        partial(azure.open_monitor, connection_string),
        azure.LOGGERS,
    )


def _connection_parts(connection_string: str) -> Mapping[str, str]:
    """The parts by their lower-case names. Raises SettingsError, without the string itself, where it cannot be used."""
    pairs = [part.split("=") for part in connection_string.split(";")]
    parts = {pair[0].lower(): pair[1] for pair in pairs if len(pair) == 2}
    if len(parts) < len(pairs):
        raise SettingsError(
            f"{CONNECTION_STRING} is not a list of name=value separated by semicolons; copy the whole connection "
            "string from the overview of the Application Insights resource."
        )
    if not _KEY.fullmatch(parts.get("instrumentationkey", "")):
        raise SettingsError(
            f"{CONNECTION_STRING} has no InstrumentationKey that is a UUID in lower case; copy the whole connection "
            "string from the overview of the Application Insights resource."
        )
    if "ingestionendpoint" in parts:
        _url(CONNECTION_STRING, parts["ingestionendpoint"], "has the IngestionEndpoint")
    return parts


def _foundry(credential: TokenCredential | None) -> Destination | None:
    variable = _first_set(*PROJECT_ENDPOINTS)
    if variable is None:
        return None
    endpoint = os.environ[variable]
    url = _url(variable)
    if url.scheme != "https":
        raise SettingsError(f"{variable} is {_shown(url)!r}; a Foundry project answers https only, so write https://.")
    azure.keep_to_the_endpoint()
    _require(azure.FOUNDRY_MODULES, "azure", variable)
    return Destination(
        f"Azure AI Foundry {_shown(url)}",
        ("foundry", endpoint),
        partial(azure.open_foundry, endpoint, credential),
        azure.LOGGERS,
    )


def _first_set(*variables: str) -> str | None:
    """The first variable that is set to something."""
    return next((variable for variable in variables if os.environ.get(variable)), None)


def _url(variable: str, value: str | None = None, verb: str = "is set to") -> SplitResult:
    """The value of a variable as a URL. Raises SettingsError naming the variable where it is none."""
    text = os.environ[variable] if value is None else value
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        usable = False
    if not usable:
        shown = sanitise_text(text, Marks(), 200)
        raise SettingsError(f"{variable} {verb} {shown!r}, which is no URL; write it as https://host:port/path.")
    return url


def _shown(url: SplitResult) -> str:
    """A URL without what could be secret in it: user, password, query."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"


def _require(modules: tuple[str, ...], extra: str, variable: str) -> None:
    """Load what the exporter is made of, here in the caller's thread: a fork amid an import could never finish it."""
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            raise SettingsError(
                f"configure_tracing() cannot send to what {variable} names, because {error.name or module} is not "
                f"installed; run: pip install 'failtrace[{extra}]'"
            ) from error

"""Exporters for Azure Monitor, alone or as an Azure AI Foundry project's: the extra `azure`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

MONITOR_MODULES = ("azure.monitor.opentelemetry.exporter",)
FOUNDRY_MODULES = (*MONITOR_MODULES, "azure.ai.projects", "azure.identity")
LOGGERS = (
    "azure.monitor.opentelemetry.exporter.export._base",
    "azure.monitor.opentelemetry.exporter.export.trace._exporter",
)
# The SDK's own limits, 300 s for an answer and ten retries, are far longer than any program waits at its end.
CONNECT_S = 5
_LIMITS: dict[str, Any] = {"read_timeout": 10, "retry_total": 2}


def keep_to_the_endpoint() -> None:
    """Keep Azure's exporter from telling other hosts about itself.

    It measures its own use (to hosts of Microsoft's), asks for remote settings every hour, counts for the customer in a
    thread that waits at the program's end, and has no argument to turn these off: the environment, read when it is
    first loaded, is the only way. What a person has set already stays.
    """
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_SDKSTATS_DISABLED", "true")


def open_monitor(connection_string: str, resource: Resource) -> SpanExporter:
    """An exporter to the Application Insights resource of the connection string; nothing is kept on the disk.

    With each batch it tells the resource of a tracer provider: ours, not the host's.
    """
    from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

    return AzureMonitorTraceExporter(
        connection_string=connection_string,
        disable_offline_storage=True,
        timeout=CONNECT_S,  # its word for the time to connect
        tracer_provider=TracerProvider(resource=resource, shutdown_on_exit=False),
        **_LIMITS,
    )


def open_foundry(endpoint: str, credential: TokenCredential | None, resource: Resource) -> SpanExporter:
    """An exporter to the Application Insights resource of a Foundry project, which is asked for its connection string.

    Raises what Azure raises: nobody is logged in, the project has no such resource, it does not answer.
    """
    from azure.ai.projects import AIProjectClient
    from azure.identity import DefaultAzureCredential

    who = credential or DefaultAzureCredential()
    with AIProjectClient(endpoint, who, connection_timeout=CONNECT_S, **_LIMITS) as project:
        return open_monitor(project.telemetry.get_application_insights_connection_string(), resource)

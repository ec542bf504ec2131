"""The exporter for any OTLP endpoint: the extra `otlp`."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter

MODULES = ("opentelemetry.exporter.otlp.proto.http.trace_exporter",)
LOGGERS = MODULES


def open_exporter(_: Resource) -> SpanExporter:
    """An exporter that reads endpoint, headers, certificates, compression and timeout from OTEL_EXPORTER_OTLP_*."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()

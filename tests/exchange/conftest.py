"""What the tests of exchange share: receivers on loopback, and tracing that is off before and after."""

import os
from collections.abc import Iterator

import pytest
from span_receivers import BreezeReceiver, OtlpReceiver

from failtrace import tracing

_AZURES = ("APPLICATIONINSIGHTS_", "APPINSIGHTS_", "AZURE_", "FOUNDRY_")


@pytest.fixture(autouse=True)
def tracing_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of Azure's in the environment, and every destination of a test forgotten at its end."""
    for name in [name for name in os.environ if name.startswith(_AZURES)]:
        monkeypatch.delenv(name)
    yield
    tracing.shutdown(0.0)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    """An OTLP collector that the environment names."""
    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@pytest.fixture
def insights(monkeypatch: pytest.MonkeyPatch) -> Iterator[BreezeReceiver]:
    """An Application Insights resource that the environment names."""
    with BreezeReceiver() as receiver:
        monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", receiver.connection_string)
        yield receiver

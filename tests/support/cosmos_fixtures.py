"""What a test of the Cosmos side stands on: a container of its own, on the tests' server or on a real account.

Where COSMOS_ENDPOINT is set when the tests start, they run against that account or emulator; those that need a fault to
be injected are skipped there.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from support.cosmos_proxy import CosmosProxy
from support.cosmos_server import KEY, CosmosServer, running_cosmos

from failtrace.settings import Settings
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend

_REAL = {name: os.environ[name] for name in ("COSMOS_ENDPOINT", "COSMOS_KEY", "COSMOS_DATABASE") if name in os.environ}
"""Read before any test: conftest takes it out of the environment of each."""


@dataclass(frozen=True)
class Cosmos:
    """A container for one test."""

    endpoint: str
    key: str | None
    database: str
    container: str
    server: CosmosServer | None = None
    injector: CosmosProxy | None = None

    @property
    def proxy(self) -> CosmosProxy:
        """The proxy with its faults and its log; the test is skipped where there is none."""
        if self.injector is None:
            pytest.skip("faults cannot be injected into a real account")
        return self.injector

    @property
    def environment(self) -> dict[str, str]:
        """The variables for another process."""
        told = {
            "COSMOS_ENDPOINT": self.endpoint,
            "COSMOS_DATABASE": self.database,
            "COSMOS_CONTAINER_TRACES": self.container,
        }
        return told if self.key is None else {**told, "COSMOS_KEY": self.key}

    def settings(self, **overrides: Any) -> Settings:
        """The settings of this container, of the home of this test."""
        return Settings.load(
            **{
                "cosmos_endpoint": self.endpoint,
                "cosmos_key": None if self.key is None else SecretStr(self.key),
                "cosmos_database": self.database,
                "cosmos_container": self.container,
                **overrides,
            }
        )

    def backend(self, **overrides: Any) -> CosmosBackend:
        """Our own way in."""
        return CosmosBackend(CosmosAccount.from_settings(self.settings(**overrides)))

    def client(self) -> Any:
        """The SDK's, straight."""
        from azure.cosmos import CosmosClient
        from azure.identity import DefaultAzureCredential

        account = CosmosAccount.from_settings(self.settings())
        credential: Any = self.key or DefaultAzureCredential()
        return CosmosClient(self.endpoint, credential, enable_endpoint_discovery=not account.is_loopback)

    def raw(self) -> Any:
        """The container, by the SDK."""
        return self.client().get_database_client(self.database).get_container_client(self.container)

    def items(self) -> list[dict[str, Any]]:
        """All that is in the container."""
        return list(self.raw().query_items("SELECT * FROM c", enable_cross_partition_query=True))


@pytest.fixture(scope="session")
def cosmos_service() -> Iterator[Cosmos]:
    """The account: the tests' own server, or the real one. Its container is made by nobody yet."""
    if _REAL:
        database = _REAL.get("COSMOS_DATABASE", "failtrace-tests")
        yield Cosmos(_REAL["COSMOS_ENDPOINT"], _REAL.get("COSMOS_KEY"), database, "none")
        return
    with running_cosmos() as (server, proxy):
        yield Cosmos(proxy.endpoint, KEY, "failtrace-tests", "none", server, proxy)


@pytest.fixture
def cosmos_account(cosmos_service: Cosmos) -> Cosmos:
    """The account, and the name of a container that is not there yet."""
    name = f"traces-{uuid.uuid4().hex[:12]}"
    if cosmos_service.injector is not None:
        cosmos_service.injector.log.clear()
        cosmos_service.injector.fault = None
        cosmos_service.injector.after_create = None
    return Cosmos(
        cosmos_service.endpoint,
        cosmos_service.key,
        cosmos_service.database,
        name,
        cosmos_service.server,
        cosmos_service.injector,
    )


@pytest.fixture
def cosmos(cosmos_account: Cosmos) -> Iterator[Cosmos]:
    """A fresh container, as `failtrace cosmos provision` makes it."""
    backend = cosmos_account.backend()
    backend.provision()
    backend.close()
    if cosmos_account.injector is not None:
        cosmos_account.injector.log.clear()
    yield cosmos_account
    if _REAL:
        client = cosmos_account.client()
        client.get_database_client(cosmos_account.database).delete_container(cosmos_account.container)

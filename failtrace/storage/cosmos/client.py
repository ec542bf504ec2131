"""The connection to a container: made when it is first needed, once for each process, never in the constructor.

`CosmosClient(...)` itself asks the network, and may take a minute where nobody answers.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind
from failtrace.storage.cosmos.faults import CONNECTING, fault_of, not_cosmos, wrong_partition_key
from failtrace.storage.cosmos.sdk import identity, sdk
from failtrace.version import package_version

if TYPE_CHECKING:
    from azure.cosmos import ContainerProxy, CosmosClient

CONNECT_S = 3
READ_S = 10
PARTITION_KEY = "/failure_id"

_UNHEARD = logging.NullHandler()


class CosmosConnection:
    """Gives the container, connected. Thread-safe; a forked child connects anew."""

    def __init__(self, account: CosmosAccount) -> None:
        self.account = account
        self._lock = threading.Lock()
        self._client: CosmosClient | None = None
        self._container: ContainerProxy | None = None
        self.closed = False
        """For good: whoever still works with it must not connect anew."""
        self._attempts = 0
        self._last: CosmosFault | None = None
        # Last, so that no other thread of a forked child takes for its own what still is its parent's.
        self._pid = os.getpid()

    def container(self) -> ContainerProxy:
        """The container, checked once to be one of ours. Raises CosmosFault.

        Those who wait for one attempt share how it ends; the next call after a failed one tries again.
        """
        self._begin_anew_after_fork()
        if self.closed:
            raise closed_fault()
        container = self._container
        if container is not None:
            return container
        before = self._attempts
        with self._lock:
            container = self._container
            if container is not None:
                return container
            if self._attempts != before and self._last is not None:
                raise self._last
            try:
                self._container = container = self._connect()
            except CosmosFault as fault:
                self._last = fault
                raise
            finally:
                self._attempts += 1
            return container

    def client(self) -> CosmosClient:
        """A client of the account; for provisioning, which needs no container. Raises CosmosFault."""
        self._begin_anew_after_fork()
        with self._lock:
            return self._made_client()

    def forget_container(self) -> None:
        """Check the container anew before it is used again."""
        self._container = None

    def close(self) -> None:
        """Close the sockets, for good. Idempotent."""
        self.closed = True
        client, self._client, self._container = self._client, None, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def _begin_anew_after_fork(self) -> None:
        """The parent's sockets and threads are not ours to use, nor to close; its lock may be held for ever."""
        if self._pid != os.getpid():
            self.__init__(self.account)  # type: ignore[misc]

    def _connect(self) -> ContainerProxy:
        client = self._made_client()
        container = client.get_database_client(self.account.database).get_container_client(self.account.container)
        try:
            found = container.read()
            paths = found["partitionKey"]["paths"]
        except Exception as error:
            raise fault_of(error, self.account, CONNECTING) from error
        if paths != [PARTITION_KEY]:
            raise wrong_partition_key(self.account, ", ".join(map(str, paths)))
        return container

    def _made_client(self) -> CosmosClient:
        client = self._client
        if client is None:
            try:
                client = self._client = _client(self.account)
            except Exception as error:
                if getattr(error, "status_code", None) == 404:
                    raise not_cosmos(self.account, "it answers 404") from error
                raise fault_of(error, self.account, CONNECTING) from error
        if self.closed:
            # While it was made, maybe: then nobody else closes it.
            self.close()
            raise closed_fault()
        return client


def closed_fault() -> CosmosFault:
    """What whoever still works with a closed connection meets."""
    return CosmosFault("The connection to Cosmos DB was closed; open the store again.", FaultKind.TRANSIENT)


def _client(account: CosmosAccount) -> CosmosClient:
    # Its background look at the endpoints may outlive the client, and logs a traceback then; whoever configures
    # logging sees it, whoever does not should not find it on the terminal.
    logging.getLogger("azure").addHandler(_UNHEARD)

    key = account.key
    credential: Any = identity().DefaultAzureCredential() if key is None else key.get_secret_value()
    client: CosmosClient = sdk().CosmosClient(
        account.endpoint,
        credential,
        connection_timeout=CONNECT_S,
        # `timeout` is looked at between attempts only; this one does cut.
        read_timeout=READ_S,
        # Retrying is the relay's: it never gives up, and says what it does. 0 would be taken for the default.
        retry_total=1,
        retry_connect=1,
        retry_read=1,
        retry_status=1,
        retry_throttle_total=1,
        retry_throttle_backoff_max=1,
        # Half the bytes of the default for text that is not ASCII.
        enable_compact_utf8_item_writes=True,
        # An emulator tells an address of its own, which a mapped port does not reach:
        # https://github.com/Azure/azure-sdk-for-python/issues/44380
        enable_endpoint_discovery=not account.is_loopback,
        user_agent_suffix=f"failtrace/{package_version()}",
    )
    return client

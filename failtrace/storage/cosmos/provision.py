"""Making the database and the container. The runtime never needs the right to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.client import PARTITION_KEY
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind
from failtrace.storage.cosmos.faults import fault_of, wrong_partition_key
from failtrace.storage.cosmos.item import SUMMARY

if TYPE_CHECKING:
    from azure.cosmos import CosmosClient

EACH_ITS_OWN = -1
"""A container's default time to live that lets each item say its own, and keeps those that say none."""


def indexing_policy() -> dict[str, Any]:
    """The summary fields and nothing of the record: writes cost by what is indexed.

    `id` and `_ts`, by which is asked, are in the index of every container, and in the policy of none.
    """
    return {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": f"/{name}/?"} for name in SUMMARY],
        "excludedPaths": [{"path": "/*"}],
    }


def provision(client: CosmosClient, account: CosmosAccount, throughput: int | None = None) -> tuple[str, ...]:
    """Make what is missing, mend the indexing and expiry of a container that is there; a sentence on each.

    `throughput` is in request units a second; None suits a serverless account. Raises CosmosFault.
    """
    from azure.cosmos import PartitionKey
    from azure.cosmos.exceptions import CosmosResourceExistsError, CosmosResourceNotFoundError

    told = []
    try:
        try:
            database = client.create_database(account.database)
            told.append(f"The database {account.database!r} was made.")
        except CosmosResourceExistsError:
            database = client.get_database_client(account.database)
            told.append(f"The database {account.database!r} was there.")
        key = PartitionKey(path=PARTITION_KEY)
        try:
            database.create_container(
                account.container,
                key,
                indexing_policy=indexing_policy(),
                default_ttl=EACH_ITS_OWN,
                offer_throughput=throughput,
            )
            told.append(f"The container {account.container!r} was made, with the partition key {PARTITION_KEY}.")
        except CosmosResourceExistsError:
            found = database.get_container_client(account.container).read()
            paths = found["partitionKey"]["paths"]
            if paths != [PARTITION_KEY]:
                raise wrong_partition_key(account, ", ".join(map(str, paths))) from None
            if _is_as_wanted(found):
                told.append(f"The container {account.container!r} was there, as it should be.")
            else:
                database.replace_container(
                    account.container, key, indexing_policy=indexing_policy(), default_ttl=EACH_ITS_OWN
                )
                told.append(f"The container {account.container!r} was there; its indexing and expiry were mended.")
    except CosmosResourceNotFoundError as error:
        raise fault_of(error, account, "making the container") from error
    except CosmosFault:
        raise
    except Exception as error:
        if getattr(error, "status_code", None) == 403:
            raise _not_allowed(account) from error
        raise fault_of(error, account, "making the container") from error
    return tuple(told)


def _is_as_wanted(container: dict[str, Any]) -> bool:
    policy = container.get("indexingPolicy", {})
    included = {path["path"] for path in policy.get("includedPaths", ())}
    excluded = {path["path"] for path in policy.get("excludedPaths", ())}
    wanted = {path["path"] for path in indexing_policy()["includedPaths"]}
    return included == wanted and "/*" in excluded and container.get("defaultTtl") == EACH_ITS_OWN


def _not_allowed(account: CosmosAccount) -> CosmosFault:
    """https://github.com/Azure/azure-sdk-for-python/issues/40120: data-plane roles cannot do this."""
    return CosmosFault(
        "This identity may not make databases or containers, which no data role may; let somebody who manages the "
        f"account run `az cosmosdb sql database create … --name {account.database}` and `az cosmosdb sql container "
        f"create … --database-name {account.database} --name {account.container} --partition-key-path {PARTITION_KEY} "
        "--ttl -1` (docs/cosmos.md has them whole).",
        FaultKind.SETUP,
        status=403,
    )

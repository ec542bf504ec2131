"""What the SDK raises, as faults: what to do about it, and one sentence that names the setting to mend."""

from __future__ import annotations

import json
import re
from typing import Any

from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind

CONNECTING = "connecting"
SENDING = "sending a failure"

_POISON = {400, 413}
_PASSING = {408, 409, 410, 412, 429, 449}
_NOT_OF_COSMOS = {405, 406, 501}
_PARTITION_KEY_MISMATCH = 1001
READ_SESSION_NOT_AVAILABLE = 1002
"""The sub-status of a 404 for a replica that is behind: it says nothing about what is there."""
_CLOCK = re.compile(r"not valid at the current time|current server time|clock|skew|\bdate\b", re.IGNORECASE)
_SIGN_IN = {"ClientAuthenticationError", "CredentialUnavailableError"}
_NETWORK = {"azure", "requests", "urllib3", "http"}
_NO_COSMOS = (KeyError, TypeError, AttributeError, json.JSONDecodeError)
"""What the SDK trips over where an endpoint answers, and not as Cosmos DB does."""


def fault_of(error: BaseException, account: CosmosAccount, tried: str) -> CosmosFault:
    """The fault for what was raised while `tried`, e.g. `sending a failure`."""
    if isinstance(error, CosmosFault):
        return error
    if isinstance(error, ImportError):
        return CosmosFault(
            f"Cosmos DB cannot be used, because {error.name or 'azure-cosmos'} is not installed; "
            "run: pip install 'failtrace[cosmos]'",
            FaultKind.SETUP,
        )
    if type(error).__name__ in _SIGN_IN:
        # By its name, for azure-identity may be absent; its status is that of Microsoft Entra ID, not of Cosmos DB.
        return CosmosFault(
            "Nobody is signed in to Azure and COSMOS_KEY is not set; run `az login`, give this machine an identity, or "
            f"set COSMOS_KEY ({_line(error)}).",
            FaultKind.SETUP,
        )
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return _of_status(status, error, account, tried)
    if isinstance(error, _NO_COSMOS) or _is_decoding(error):
        return not_cosmos(account, f"{type(error).__name__}")
    if isinstance(error, OSError) or type(error).__module__.split(".")[0] in _NETWORK:
        said = f"at COSMOS_ENDPOINT={account.endpoint!r} could not be reached while {tried} ({_line(error)})"
        return CosmosFault(f"Cosmos DB {said}; failtrace tries again by itself.", FaultKind.TRANSIENT)
    return CosmosFault(
        f"failtrace itself went wrong while {tried} ({type(error).__name__}: {_line(error)}); please report this.",
        FaultKind.TRANSIENT,
    )


def not_cosmos(account: CosmosAccount, why: str) -> CosmosFault:
    """An endpoint that answers, and not as Cosmos DB does."""
    return CosmosFault(
        f"What answers at COSMOS_ENDPOINT={account.endpoint!r} is no Cosmos DB account ({why:.120}); "
        "set it to the account's own address.",
        FaultKind.SETUP,
    )


def wrong_partition_key(account: CosmosAccount, found: object) -> CosmosFault:
    """A container that was made for something else."""
    return CosmosFault(
        f"The container {account.container!r} has the partition key {found!r:.80} and failtrace needs '/failure_id'; "
        "set COSMOS_CONTAINER_TRACES to another name and run `failtrace cosmos provision`.",
        FaultKind.SETUP,
    )


def missing_container(account: CosmosAccount) -> CosmosFault:
    """A database or container that is not there."""
    return CosmosFault(
        f"There is no container {account.container!r} in the database {account.database!r} (COSMOS_CONTAINER_TRACES, "
        "COSMOS_DATABASE); mend the names, or run `failtrace cosmos provision`.",
        FaultKind.SETUP,
        status=404,
    )


def _of_status(status: int, error: BaseException, account: CosmosAccount, tried: str) -> CosmosFault:
    said = _line(error)
    if status in (401, 403):
        return CosmosFault(_refused(status, said, account), FaultKind.SETUP, status=status)
    behind = status == 404 and getattr(error, "sub_status", None) == READ_SESSION_NOT_AVAILABLE
    if status == 404 and not behind:
        return missing_container(account)
    if status in _NOT_OF_COSMOS or (status == 400 and tried == CONNECTING):
        return not_cosmos(account, f"it answers {status}")
    if status in _POISON and tried == SENDING:
        if getattr(error, "sub_status", None) == _PARTITION_KEY_MISMATCH:
            return _changed_partition_key(account, said)
        return CosmosFault(f"Cosmos DB refused a record with {status} ({said}).", FaultKind.POISON, status=status)
    if status < 500 and status not in _PASSING and not behind:
        return CosmosFault(
            f"Cosmos DB answered {status} while {tried} ({said}); see that COSMOS_ENDPOINT, COSMOS_DATABASE and "
            "COSMOS_CONTAINER_TRACES name what is meant.",
            FaultKind.SETUP,
            status=status,
        )
    return CosmosFault(
        f"Cosmos DB answered {status} while {tried} ({said}); failtrace tries again by itself.",
        FaultKind.TRANSIENT,
        status=status,
        retry_after_s=_retry_after(error),
    )


def _changed_partition_key(account: CosmosAccount, said: str) -> CosmosFault:
    """A container that was made anew, with another partition key, while we were connected."""
    return CosmosFault(
        f"The container {account.container!r} no longer has the partition key '/failure_id' ({said}); "
        "set COSMOS_CONTAINER_TRACES to another name and run `failtrace cosmos provision`.",
        FaultKind.SETUP,
        status=400,
    )


def _refused(status: int, said: str, account: CosmosAccount) -> str:
    if _CLOCK.search(said):
        return f"Cosmos DB refused this machine's clock ({said}); set it right, it may be off by 15 minutes at most."
    if account.key is not None and status == 401:
        return f"Cosmos DB refused COSMOS_KEY ({said}); set it to a current key of the account."
    if account.key is not None:
        return f"Cosmos DB forbade it ({said}); see the account's firewall and whether COSMOS_KEY may write."
    return (
        f"Cosmos DB refused this identity ({said}); give it the role 'Cosmos DB Built-in Data Contributor', or set "
        "COSMOS_KEY."
    )


def _retry_after(error: BaseException) -> float | None:
    headers: Any = getattr(error, "headers", None) or {}
    try:
        return float(headers.get("x-ms-retry-after-ms", "")) / 1000
    except (ValueError, AttributeError):
        return None


def _is_decoding(error: BaseException) -> bool:
    return type(error).__name__ == "DecodeError"


def _line(error: BaseException) -> str:
    """What the service said, on one line; the SDK's own framing left out."""
    text = str(getattr(error, "message", None) or error)
    text = text.rpartition("Message: ")[2]
    flat = " ".join(text.split())
    for noise in ("(BadRequest) ", "(Unauthorized) ", "(Forbidden) ", "(NotFound) "):
        flat = flat.removeprefix(noise)
    return f"{flat[:300]}…" if len(flat) > 300 else flat or type(error).__name__

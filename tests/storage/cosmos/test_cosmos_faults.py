"""What goes wrong around a container, told apart by what the service says, and never told with a secret."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import SecretStr
from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import Answer, Request, refusal
from support.records import make_record

from failtrace.codec import encode_record
from failtrace.errors import SettingsError
from failtrace.settings import Settings
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind
from failtrace.storage.cosmos.faults import SENDING, fault_of

ACCOUNT = CosmosAccount("https://shop.documents.azure.com:443/", None, "failtrace", "traces")


def send(backend: CosmosBackend, **fields: Any) -> str:
    """The failure_id of a record that was sent."""
    record = make_record(**fields)
    assert record.failure_id is not None
    backend.send(record.failure_id, encode_record(record))
    return record.failure_id


def fault_while(
    cosmos: Cosmos, answer: Answer, on: Callable[[Request], bool], use: Callable[[], object]
) -> CosmosFault:
    """What `use` raises while the requests that `on` picks get that answer."""
    with (
        cosmos.proxy.failing(lambda request: answer if on(request) else None),
        pytest.raises(CosmosFault) as caught,
    ):
        use()
    return caught.value


@pytest.mark.parametrize("status", [400, 413, 422, 405])
def test_only_a_create_makes_a_record_poison(cosmos: Cosmos, status: int) -> None:
    """A refusal of the connection, of a read or of a query says nothing about any record: none is set aside for it."""
    backend = cosmos.backend()
    answer = refusal(status, "It was refused, for a test.")

    faults = [
        fault_while(cosmos, answer, lambda _: True, lambda: send(cosmos.backend())),
        fault_while(cosmos, answer, lambda request: "/colls/" in request.path, lambda: send(backend)),
    ]
    known = send(backend)
    faults += [
        fault_while(cosmos, answer, lambda request: request.is_read, lambda: backend.get(known)),
        fault_while(cosmos, answer, lambda request: request.is_query, lambda: list(backend.changes(0))),
        fault_while(cosmos, answer, lambda request: request.is_query, lambda: backend.raw(known)),
    ]

    assert {fault.kind for fault in faults} == {FaultKind.SETUP}
    assert all("COSMOS_" in str(fault) for fault in faults)


@pytest.mark.parametrize(
    "said",
    [
        "The authorization token is not valid at the current time. Please create another token and retry (token start "
        "time: Sun, 19 Apr 2020 17:46:34 GMT, token expiry time: Sun, 19 Apr 2020 18:01:34 GMT, current server time: "
        "Sun, 19 Apr 2020 16:47:29 GMT).\r\nActivityId: 1, Microsoft.Azure.Documents.Common/2.10.0",
        "The x-ms-date header is not within 15 minutes of the server's.",
    ],
    ids=["token", "header"],
)
@pytest.mark.parametrize("status", [401, 403])
def test_azures_words_about_time_are_about_the_clock(cosmos: Cosmos, status: int, said: str) -> None:
    """A clock that is off is neither a wrong key nor a firewall, though both share its status."""
    backend = cosmos.backend()

    fault = fault_while(cosmos, refusal(status, said), lambda request: request.is_create, lambda: send(backend))

    assert (fault.kind, fault.status) == (FaultKind.SETUP, status)
    assert "this machine's clock" in str(fault)
    assert "COSMOS_KEY" not in str(fault)
    assert "\n" not in str(fault)


def test_azures_words_about_a_wrong_key_are_not_about_the_clock(cosmos: Cosmos) -> None:
    """They quote the payload that was to be signed, in which a date stands."""
    said = (
        "The input authorization token can't serve the request. The wrong key is being used or the expected payload is "
        "not built as per the protocol. Server used the following payload to sign: "
        "'post\ndocs\ndbs/d/colls/c\nmon, 23 nov 2026 10:00:00 gmt\n\n'"
    )
    backend = cosmos.backend()

    fault = fault_while(cosmos, refusal(401, said), lambda request: request.is_create, lambda: send(backend))

    assert "refused COSMOS_KEY" in str(fault)


@pytest.mark.parametrize("status", [None, 400, 401, 500])
@pytest.mark.parametrize("name", ["ClientAuthenticationError", "CredentialUnavailableError"])
def test_a_failed_sign_in_is_a_matter_of_the_setup(name: str, status: int | None) -> None:
    """Whatever status Microsoft Entra ID gave: 400 for an unknown tenant says nothing about the record."""
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import CredentialUnavailableError

    error = {"ClientAuthenticationError": ClientAuthenticationError}.get(name, CredentialUnavailableError)(
        message="AADSTS90002: Tenant 'shop' not found.\nTrace ID: 1"
    )
    error.status_code = status

    fault = fault_of(error, ACCOUNT, SENDING)

    assert fault.kind is FaultKind.SETUP
    assert "az login" in str(fault)
    assert "COSMOS_KEY" in str(fault)
    assert "\n" not in str(fault)


def test_a_missing_extra_is_told_with_its_pip_line() -> None:
    """An import that fails is no fault of the network."""
    fault = fault_of(ModuleNotFoundError("No module named 'azure'", name="azure"), ACCOUNT, SENDING)

    assert fault.kind is FaultKind.SETUP
    assert "pip install 'failtrace[cosmos]'" in str(fault)


def test_what_the_service_says_is_shortened_to_a_line(cosmos: Cosmos) -> None:
    """A page of an error is 300 characters on one line."""
    backend = cosmos.backend()

    fault = fault_while(cosmos, refusal(400, "no\n" * 5_000), lambda request: request.is_create, lambda: send(backend))

    assert fault.kind is FaultKind.POISON
    assert len(str(fault)) < 400
    assert "\n" not in str(fault)


def test_a_container_that_was_made_anew_with_another_key_sets_no_record_aside(cosmos: Cosmos) -> None:
    """Azure refuses each create with 400 then: that is a matter of the container, and it is looked at again."""
    backend = cosmos.backend()
    send(backend)
    answer = refusal(
        400,
        "PartitionKey extracted from document doesn't match the one specified in the header",
        **{"x-ms-substatus": "1001"},
    )

    fault = fault_while(cosmos, answer, lambda request: request.is_create, lambda: send(backend))
    cosmos.proxy.log.clear()
    send(backend)

    assert fault.kind is FaultKind.SETUP
    assert "COSMOS_CONTAINER_TRACES" in str(fault)
    assert [line.kind for line in cosmos.proxy.log if line.path.rstrip("/").endswith(cosmos.container)] == ["other"]


def test_a_container_that_is_made_while_we_wait_is_used(cosmos_account: Cosmos) -> None:
    """The same backend that named the missing container goes on once somebody provisioned it, without a restart."""
    backend = cosmos_account.backend()
    with pytest.raises(CosmosFault, match="failtrace cosmos provision") as caught:
        send(backend)
    assert caught.value.kind is FaultKind.SETUP
    assert not backend.health().reachable

    cosmos_account.backend().provision()

    known = send(backend)
    assert backend.get(known) is not None
    assert backend.health().reachable


def test_a_container_that_goes_away_is_named(cosmos: Cosmos) -> None:
    """A 404 of the container is no missing item: neither a lookup nor a send takes it for one."""
    backend = cosmos.backend()
    known = send(backend)
    gone = refusal(404, "Owner resource does not exist", **{"x-ms-substatus": "1003"})

    for use in (lambda: backend.get(known), lambda: send(backend), lambda: backend.raw(known)):
        fault = fault_while(cosmos, gone, lambda request: request.is_item, use)
        assert fault.kind is FaultKind.SETUP
        assert "COSMOS_DATABASE" in str(fault)


def test_a_replica_that_is_behind_is_no_missing_item(cosmos: Cosmos) -> None:
    """A 404 of the read session says neither that there is no record nor that there is no container."""
    backend = cosmos.backend()
    known = send(backend)
    said = "The read session is not available for the input session token."
    behind = refusal(404, said, "NotFound", **{"x-ms-substatus": "1002"})

    for use in (lambda: backend.get(known), lambda: backend.raw(known), lambda: list(backend.changes(0))):
        fault = fault_while(cosmos, behind, lambda request: request.is_item, use)
        assert fault.kind is FaultKind.TRANSIENT
        assert "read session" in str(fault)


def test_a_web_page_in_the_midst_sets_no_record_aside(cosmos: Cosmos) -> None:
    """A proxy's login page in place of an answer names the endpoint, and everything goes on when it is gone."""
    backend = cosmos.backend()
    known = send(backend)
    page = Answer(200, {"content-type": "text/html"}, b"<html>log in</html>")

    fault = fault_while(cosmos, page, lambda request: request.is_read, lambda: backend.get(known))

    assert fault.kind in (FaultKind.SETUP, FaultKind.TRANSIENT)
    assert "COSMOS_ENDPOINT" in str(fault)
    assert backend.get(known) is not None


def test_callers_share_one_attempt_to_connect(cosmos: Cosmos) -> None:
    """Threads that wait for the same connection fail together, and the next call tries anew."""
    backend = cosmos.backend()
    together = threading.Barrier(6)

    def get(_: int) -> str:
        together.wait()
        with pytest.raises(CosmosFault) as caught:
            backend.get("x")
        return str(caught.value)

    with cosmos.proxy.failing(lambda _: refusal(503, "Down.")), ThreadPoolExecutor(6) as pool:
        told = list(pool.map(get, range(6)))
    down = len(cosmos.proxy.log)

    assert len(set(told)) == 1
    assert down < 2 * 6
    assert backend.get("x") is None


def test_a_provisioning_that_is_refused_is_no_record(cosmos_account: Cosmos) -> None:
    """A throughput that Azure does not sell names the container, and speaks of no record and of no retry."""
    fault = fault_while(
        cosmos_account,
        refusal(400, "The offer should have valid throughput values between 400 and 1000000."),
        lambda request: request.method == "POST" and request.path.rstrip("/").endswith("/colls"),
        lambda: cosmos_account.backend().provision(throughput=1),
    )

    assert fault.kind is FaultKind.SETUP
    assert "between 400 and 1000000" in str(fault)
    assert "tries again" not in str(fault)


def test_the_policy_of_an_older_container_is_mended(cosmos_account: Cosmos) -> None:
    """One that indexes everything and keeps everything is brought to ours; a second time finds it right."""
    from azure.cosmos import PartitionKey

    client = cosmos_account.client()
    client.create_database_if_not_exists(cosmos_account.database)
    client.get_database_client(cosmos_account.database).create_container(
        cosmos_account.container, PartitionKey(path="/failure_id")
    )
    backend = cosmos_account.backend()

    assert any("mended" in line for line in backend.provision())
    assert any("as it should be" in line for line in backend.provision())


SECRET = "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnRlcjI="


@pytest.mark.parametrize(
    "endpoint",
    [
        f"AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey={SECRET}",
        f"https://shop.documents.azure.com:443/;AccountKey={SECRET}",
        f"https://shop/?key={SECRET}",
        f"https://shop/#{SECRET}",
        f"https://me:{SECRET}@shop/",
        f"https://me:{SECRET}@shop:port/",
        f"https://me:{SECRET}@[shop/",
        f"me:{SECRET}@shop",
        SECRET,
        SECRET * 3,
        f"https://sh op/{SECRET}",
    ],
)
def test_a_secret_in_the_wrong_variable_is_not_echoed(endpoint: str) -> None:
    """A connection string, a key or a password in COSMOS_ENDPOINT: the sentence names it, and shows nothing of it."""
    with pytest.raises(SettingsError, match="COSMOS_ENDPOINT") as caught:
        CosmosAccount.from_settings(Settings.load(cosmos_endpoint=endpoint, cosmos_key=None))

    assert "aHVudGVy" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("fields", "variable"),
    [
        ({"cosmos_key": SecretStr("   ")}, "COSMOS_KEY"),
        ({"cosmos_container": "a\x00b"}, "COSMOS_CONTAINER_TRACES"),
        ({"cosmos_database": "a\nb"}, "COSMOS_DATABASE"),
        ({"cosmos_endpoint": "https://sh op/"}, "COSMOS_ENDPOINT"),
    ],
)
def test_what_no_account_has_is_told_at_once(fields: dict[str, Any], variable: str) -> None:
    """Before any request, where it would be a fault of the service."""
    with pytest.raises(SettingsError, match=variable):
        CosmosAccount.from_settings(Settings.load(**{"cosmos_endpoint": "https://shop/", "cosmos_key": None, **fields}))

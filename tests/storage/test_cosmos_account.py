"""Which settings make an account, and what a wrong one is told."""

import pytest
from pydantic import SecretStr

from failtrace.errors import SettingsError
from failtrace.settings import Settings
from failtrace.storage.cosmos.account import CosmosAccount

KEY = SecretStr("c2VjcmV0LXNlY3JldA==")


def account(**fields: object) -> CosmosAccount:
    given = {"cosmos_endpoint": "https://shop.documents.azure.com:443/", "cosmos_key": KEY, **fields}
    return CosmosAccount.from_settings(Settings.load(**given))


@pytest.mark.parametrize(
    "endpoint",
    ["https://shop.documents.azure.com:443/", "https://shop.documents.azure.com:443", " http://[::1]:8081/ "],
)
def test_an_address_is_an_account(endpoint: str) -> None:
    """With and without the last slash, by name or number; the label is the container's name in the world."""
    made = account(cosmos_endpoint=endpoint, cosmos_database="d", cosmos_container="c")

    assert made.endpoint == endpoint.strip().rstrip("/") + "/"
    assert made.label == f"{made.endpoint}d/c"
    assert made.is_loopback == ("::1" in endpoint)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cosmos_endpoint": "shop"}, "COSMOS_ENDPOINT is 'shop'"),
        ({"cosmos_endpoint": "ftp://shop/"}, "no address of an account"),
        ({"cosmos_endpoint": "https://"}, "no address of an account"),
        ({"cosmos_endpoint": "https://shop:port/"}, "no address of an account"),
        ({"cosmos_endpoint": "https://shop/dbs/failtrace"}, "with a path behind the host"),
        ({"cosmos_endpoint": "https://shop/?a=1"}, "with a path behind the host"),
        ({"cosmos_endpoint": "https://me:hunter2@shop/"}, "holds credentials"),
        ({"cosmos_key": SecretStr("AccountEndpoint=https://x;AccountKey=hunter2")}, "COSMOS_KEY is no key"),
        ({"cosmos_database": "a/b"}, "COSMOS_DATABASE is 'a/b'"),
        ({"cosmos_container": "traces "}, "COSMOS_CONTAINER_TRACES is 'traces '"),
        ({"cosmos_endpoint": None}, "COSMOS_ENDPOINT is not set"),
    ],
)
def test_a_wrong_setting_is_one_sentence(fields: dict[str, object], words: str) -> None:
    """It names the variable and what to do, and echoes no secret."""
    with pytest.raises(SettingsError) as caught:
        account(**fields)

    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_key_is_never_shown() -> None:
    """Not in the repr of the account, nor of the settings it came from."""
    made = account()

    assert "c2VjcmV0" not in repr(made) + str(made) + repr(Settings.load(cosmos_key=KEY))

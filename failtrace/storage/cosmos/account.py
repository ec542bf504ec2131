"""Which container of which account, checked before any request is made."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from failtrace.errors import SettingsError
from failtrace.settings import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_REFUSED = re.compile(r"[/\\?#\x00-\x1f\x7f]|\s$")
"""What Cosmos DB takes in no name of a database or container."""
_HARMLESS = re.compile(r"[\w.:/-]{1,64}")
"""An endpoint that may be shown: a key or a connection string is longer, or has other characters."""
_HOST = re.compile(r"[\w.:%-]+")


@dataclass(frozen=True, slots=True)
class CosmosAccount:
    """A container and how to reach it. Its repr never shows the key."""

    endpoint: str
    key: SecretStr | None
    """None signs in with DefaultAzureCredential."""
    database: str
    container: str

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises SettingsError naming the variable that is missing or cannot be used; no secret is echoed."""
        if not settings.cosmos_endpoint:
            raise SettingsError(
                "The store 'cosmos' needs an account and COSMOS_ENDPOINT is not set; set it, and COSMOS_KEY unless "
                "DefaultAzureCredential signs in (COSMOS_DATABASE is 'failtrace' and COSMOS_CONTAINER_TRACES is "
                "'traces' where they are not set)."
            )
        for variable, name in (
            ("COSMOS_DATABASE", settings.cosmos_database),
            ("COSMOS_CONTAINER_TRACES", settings.cosmos_container),
        ):
            if _REFUSED.search(name):
                raise SettingsError(
                    f"{variable} is {name!r:.80}, which Cosmos DB takes for no name; leave out / \\ ? # and spaces at "
                    "its end."
                )
        return cls(
            _checked_endpoint(settings.cosmos_endpoint),
            _checked_key(settings.cosmos_key),
            settings.cosmos_database,
            settings.cosmos_container,
        )

    @property
    def label(self) -> str:
        """The container's name in all the world."""
        return f"{self.endpoint}{self.database}/{self.container}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine: an emulator."""
        return urlsplit(self.endpoint).hostname in _LOOPBACK


def _checked_endpoint(endpoint: str) -> str:
    """As `https://host:port/`. What is wrong is shown only where it can be no secret."""
    wanted = "set it to the address of the account alone, e.g. https://my-account.documents.azure.com:443/"
    try:
        parts = urlsplit(endpoint.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if "accountkey=" in endpoint.lower():
        raise SettingsError(f"COSMOS_ENDPOINT holds a connection string; {wanted}, and its AccountKey to COSMOS_KEY.")
    if "@" in endpoint:
        raise SettingsError(f"COSMOS_ENDPOINT holds credentials; {wanted}, and the key to COSMOS_KEY.")
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(host):
        shown = f"{endpoint!r}, which is " if _HARMLESS.fullmatch(endpoint) else ""
        raise SettingsError(f"COSMOS_ENDPOINT is {shown}no address of an account; {wanted}.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingsError(f"COSMOS_ENDPOINT is an address with a path behind the host {host!r:.80}; {wanted}.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}/"


def _checked_key(key: SecretStr | None) -> SecretStr | None:
    if key is None:
        return None
    text = key.get_secret_value().strip()
    try:
        empty = not base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        empty = True
    if empty:
        raise SettingsError(
            "COSMOS_KEY is no key of an account, which is base64; copy the primary key whole, not a connection string."
        )
    return SecretStr(text)

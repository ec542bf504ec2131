"""The Cosmos fixtures."""

from support.cosmos_fixtures import cosmos, cosmos_account, cosmos_service

__all__ = ["cosmos", "cosmos_account", "cosmos_service"]

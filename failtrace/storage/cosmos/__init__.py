"""Failures in Azure Cosmos DB. `backend.CosmosBackend` is the way in; it alone, with `client`, loads azure."""

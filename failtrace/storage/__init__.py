"""Where records are kept. `failtrace.storage.trace_store.TraceStore` is the way in.

A store (memory, later Cosmos DB) holds failures behind the `TraceBackend` protocol; the mirror holds all.
"""

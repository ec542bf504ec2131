"""The SDK of Cosmos DB, imported when it is first needed: it takes half a second."""

from functools import cache
from types import ModuleType

from failtrace.mirror.fork_gate import at_work


@cache
def sdk() -> ModuleType:
    """`azure.cosmos`. A child that is forked amid an import never gets its lock, so no fork falls into this one."""
    with at_work():
        import azure.core.pipeline.transport
        import azure.cosmos.exceptions

        _ = azure.core.pipeline.transport.RequestsTransport  # which the first request would import

        return azure.cosmos


@cache
def identity() -> ModuleType:
    """`azure.identity`, likewise."""
    with at_work():
        import azure.identity

        return azure.identity

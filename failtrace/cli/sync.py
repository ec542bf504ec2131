"""`failtrace sync`: send what waits, bring in what other machines wrote, and say how it stands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import print_json, to_stderr, to_stdout
from failtrace.delivery_facts import delivery_facts
from failtrace.errors import InputError, StoreError
from failtrace.services import open_services
from failtrace.storage.trace_store import TraceStore
from failtrace.wording import count_of, printable


@click.command("sync")
@click.option("--status", is_flag=True, help="Only say how it stands; asks the mirror alone, never the network.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="How long to wait for the delivery of what is pending.",
)
@click.option("--all", "send_all", is_flag=True, help="Send also the failures recorded while no Cosmos DB was set.")
@json_option
def sync(status: bool, wait: float, send_all: bool, as_json: bool) -> int:
    """Send pending failures to Cosmos DB, and bring in those that other machines wrote.

    Exit 1 where something is still pending at the end.
    """
    services = open_services()
    try:
        store = services.store
        if not store.backend.remote:
            raise InputError("There is no Cosmos DB to synchronise with; set COSMOS_ENDPOINT (see docs/cosmos.md).")
        if status:
            _print_status(store, as_json=as_json)
            return 0
        return _synchronise(store, wait, send_all=send_all, as_json=as_json)
    finally:
        services.close()


def _synchronise(store: TraceStore, wait: float, *, send_all: bool, as_json: bool) -> int:
    outbox = store.mirror.outbox
    if send_all:
        outbox.enqueue_undelivered()
    flushed = store.flush(wait)
    problem = None
    try:
        received = store.sync(retry_unreadable=True)
    except StoreError as error:
        received, problem = None, error
    state = outbox.status()
    if as_json:
        print_json(
            {
                "type": "sync",
                "delivered": flushed.delivered,
                "pending": flushed.pending,
                "dead_letters": state.dead,
                "received": received.received if received else None,
                "unreadable": received.unreadable if received else None,
                "never_sent": outbox.undelivered(),
            }
        )
    else:
        lines = [f"{count_of(flushed.delivered, 'failure')} delivered, {flushed.pending:,} pending."]
        if received is not None:
            lines.append(f"{count_of(received.received, 'failure')} received, {received.unreadable:,} unreadable.")
        if state.dead:
            lines.append(f"{count_of(state.dead, 'dead letter')}; see `failtrace cosmos dead-letters`.")
        if never_sent := outbox.undelivered():
            lines.append(f"{count_of(never_sent, 'failure')} never sent; `failtrace sync --all` sends them too.")
        to_stdout().print("\n".join(lines), soft_wrap=True)
    if flushed.pending and (why := state.paused or state.last_error):
        to_stderr().print(printable(why), soft_wrap=True)
    if problem is not None:
        raise problem
    return int(flushed.pending > 0)


def _print_status(store: TraceStore, *, as_json: bool) -> None:
    state, inbox = store.mirror.outbox.status(), store.mirror.inbox.state(store.source)
    unreadable = store.mirror.inbox.count_unreadable(store.source)
    if as_json:
        told = {**asdict(state), **{f"sync_{name}": value for name, value in asdict(inbox).items()}}
        print_json({"type": "status", "source": store.source, **_plain(told), "unreadable": unreadable})
        return
    for name, value in delivery_facts(state, inbox, unreadable):
        to_stdout().print(f"{name:<18}{printable(value)}", soft_wrap=True)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}

"""`failtrace cosmos …`: set up the container, and look after what it would not take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import one_line, print_json, to_stdout
from failtrace.cli.whole_file import writing
from failtrace.delivery_facts import dead_letter_row
from failtrace.errors import InputError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import DeadLetter
from failtrace.services import open_services
from failtrace.settings import Settings
from failtrace.storage.cosmos.account import CosmosAccount
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.wording import ago, count_of, printable


@click.group("cosmos")
def cosmos() -> None:
    """Set up Cosmos DB, and look after what it would not take."""


@cosmos.command("provision")
@click.option(
    "--throughput",
    type=click.IntRange(min=400),
    metavar="RU",
    help="Request units a second of a new container; leave it out for a serverless account.",
)
@json_option
def provision(throughput: int | None, as_json: bool) -> None:
    """Create the database and the container, or mend the container's indexing and expiry.

    Needs a right to manage the account, which recording and reading never do.
    """
    settings = Settings.load()
    backend = CosmosBackend(CosmosAccount.from_settings(settings), retention_days=settings.retention_days)
    try:
        for sentence in backend.provision(throughput):
            if as_json:
                print_json({"type": "provision", "detail": sentence})
            else:
                to_stdout().print(printable(sentence), soft_wrap=True)
    finally:
        backend.close()


@cosmos.command("dead-letters")
@click.argument("failure_ids", metavar="[FAILURE_ID]...", nargs=-1)
@click.option("--resend", is_flag=True, help="Try to send them once more.")
@click.option(
    "--export",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write them with their records as JSON lines.",
)
@json_option
def dead_letters(failure_ids: tuple[str, ...], resend: bool, target: Path | None, as_json: bool) -> None:
    """Show the failures that Cosmos DB can never take as they are; the mirror keeps them.

    With FAILURE_IDs only those, else all.
    """
    services = open_services()
    try:
        mirror = services.store.mirror
        if resend and not services.store.backend.remote:
            raise InputError("There is no Cosmos DB to send them to; set COSMOS_ENDPOINT (see docs/cosmos.md).")
        chosen = [letter for letter in _all(mirror) if not failure_ids or letter.failure_id in failure_ids]
        if missing := set(failure_ids) - {letter.failure_id for letter in chosen}:
            raise InputError(f"{min(missing)!r:.120} is no dead letter; leave the ids out to see all there are.")
        for letter in chosen:
            _print(letter, as_json=as_json)
        if target is not None:
            _export(mirror, chosen, target)
        if resend and chosen:
            mirror.outbox.resend([letter.failure_id for letter in chosen])
            services.store.flush(10.0)
        if not as_json:
            to_stdout().print(_told(len(chosen), target, resend=resend), soft_wrap=True)
    finally:
        services.close()


def _all(mirror: Mirror) -> Iterator[DeadLetter]:
    after: str | None = None
    while True:
        page = mirror.outbox.dead_letters(limit=200, after=after)
        yield from page.rows
        if (after := page.after) is None:
            return


def _print(letter: DeadLetter, *, as_json: bool) -> None:
    if as_json:
        print_json({"type": "dead_letter", **dead_letter_row(letter)})
        return
    to_stdout().print(
        printable(
            f"{letter.failure_id}  {letter.failure_type}  {one_line(letter.subject)}\n"
            f"  {letter.status or '–'}: {letter.error}\n"
            f"  set aside {ago(letter.buried_at)} ago, after {count_of(letter.attempts, 'attempt')}"
        ),
        soft_wrap=True,
    )


def _export(mirror: Mirror, letters: list[DeadLetter], target: Path) -> None:
    with writing(target) as file:
        mirror.note("exported", f"{count_of(len(letters), 'dead letter')} to {target}")
        for letter in letters:
            body = mirror.record(letter.failure_id)
            line = {**dead_letter_row(letter), "record": None if body is None else json.loads(body)}
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _told(count: int, target: Path | None, *, resend: bool) -> str:
    if not count:
        return "There are no dead letters."
    told = count_of(count, "dead letter")
    if target is not None:
        told += f", written to {target}"
    return told + (", sent once more; `failtrace sync --status` tells how it went." if resend else ".")

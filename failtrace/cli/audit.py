"""`failtrace audit`: who started, cancelled, took along and brought in what."""

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import one_line, print_json, to_stdout
from failtrace.services import open_services
from failtrace.wording import count_of


@click.command("audit")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many.")
@json_option
def audit(limit: int, as_json: bool) -> None:
    """List who logged in, started or cancelled a run, exported or imported records; newest first."""
    services = open_services()
    try:
        rows, total = services.store.mirror.audit(limit)
    finally:
        services.close()
    if as_json:
        for row in rows:
            print_json({"at": row.at.isoformat(), "who": row.who, "deed": row.deed, "detail": row.detail})
        return
    console = to_stdout()
    for row in rows:
        told = one_line(f"{row.at:%Y-%m-%d %H:%M:%S} UTC  {row.who} {row.deed}: {row.detail}", 500)
        console.print(told, soft_wrap=True, markup=False)
    more = "" if len(rows) == total else "; --limit N shows more"
    console.print(f"{len(rows):,} of {count_of(total, 'entry', 'entries')}{more}.")

"""`failtrace recover`: take up what a killed process left in the journal."""

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import print_json, to_stdout
from failtrace.services import open_services
from failtrace.wording import count_of


@click.command("recover")
@json_option
def recover_command(as_json: bool) -> None:
    """Take up what a killed process left. `run`, `list` and `show` do so at their start."""
    services = open_services()
    services.close()
    found = services.recovery
    if as_json:
        print_json(
            {
                "type": "recovery",
                "records": found.records,
                "failures": found.failures,
                "unreadable": found.unreadable,
            }
        )
        return
    aside = f" {found.unreadable} could not be read and were set aside." if found.unreadable else ""
    recovered = count_of(found.records, "execution")
    to_stdout().print(f"{recovered} recovered, {count_of(found.failures, 'failure')} among them.{aside}")

"""`failtrace recover`: take up what a killed process left in the journal."""

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import print_json, to_stdout
from failtrace.errors import StoreError
from failtrace.mirror.rescue import rescue
from failtrace.services import open_services
from failtrace.settings import Settings
from failtrace.wording import count_of


@click.command("recover")
@click.option("--mirror", "whole", is_flag=True, help="Look at every page of the mirror first; rescue a damaged one.")
@json_option
def recover_command(whole: bool, as_json: bool) -> None:
    """Take up what a killed process left. `run`, `list` and `show` do so at their start."""
    if whole:
        _rescue(as_json=as_json)
    services = open_services()
    services.close()
    if services.undone:
        raise StoreError(services.undone)
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


def _rescue(*, as_json: bool) -> None:
    settings = Settings.load()
    mirror, found = rescue(
        settings.mirror_path, settings.keep_passed, outbox=settings.cosmos_endpoint is not None, whole=True
    )
    mirror.close()
    if as_json:
        print_json(
            {
                "type": "mirror",
                "aside": str(found.aside) if found else None,
                "executions": found.records if found else 0,
                "without_record": found.without_record if found else 0,
                "unreadable_rows": found.unreadable if found else 0,
                "unread_bytes": found.unread_bytes if found else 0,
                "told": found.told if found else "The mirror is sound.",
            }
        )
    else:
        to_stdout().print(found.told if found else "The mirror is sound.", soft_wrap=True, markup=False)

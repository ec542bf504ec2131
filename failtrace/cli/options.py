"""Options that several commands share."""

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON lines for programs.")
store_option = click.option(
    "--store",
    type=click.Choice(["auto", "memory", "cosmos"]),
    default="auto",
    show_default=True,
    help="Where failures go beside the mirror.",
)

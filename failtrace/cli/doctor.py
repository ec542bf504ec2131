"""`failtrace doctor`: is this installation well, and what to do where it is not."""

import click
from rich.table import Table

from failtrace.cli.options import json_option
from failtrace.cli.output import print_json, printable, to_stdout
from failtrace.health import Finding, examine

_MARK = {"ok": "✓", "warning": "!", "failed": "✗"}


@click.command("doctor")
@json_option
def doctor(as_json: bool) -> int:
    """Check this installation, and say what to do where it is ill.

    Looks at Python, SQLite, the home folder, the journal, the mirror, the store, the delivery, the subjects and a fresh
    process; exit 1 if any of them fails.
    """
    findings = list(examine())
    for finding in findings:
        if as_json:
            print_json({"type": "finding", "check": finding.check, "state": finding.state, "detail": finding.detail})
        else:
            _print(finding)
    return int(any(finding.state == "failed" for finding in findings))


def _print(finding: Finding) -> None:
    row = Table.grid(padding=(0, 1), pad_edge=False)
    row.add_column()
    row.add_column(width=9)
    row.add_column(overflow="fold")
    row.add_row(_MARK[finding.state], finding.check, printable(finding.detail))
    to_stdout().print(row)

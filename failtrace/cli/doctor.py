"""`failtrace doctor`: is this installation well, and what to do where it is not."""

import logging
from dataclasses import asdict

import click
from rich.table import Table

from failtrace.cli.options import json_option
from failtrace.cli.output import print_json, to_stdout
from failtrace.errors import StoreError
from failtrace.health import Finding, examine
from failtrace.hostile import Caught, run_hostile, summed_up
from failtrace.hostile_result import keep_result
from failtrace.mirror.rescue import open_or_rescue
from failtrace.services import open_services
from failtrace.settings import Settings
from failtrace.subjects.hostile import HOSTILE
from failtrace.wording import printable

_log = logging.getLogger("failtrace")
_MARK = {"ok": "✓", "warning": "!", "failed": "✗"}


@click.command("doctor")
@click.option("--hostile", is_flag=True, help="Instead, run the hostile subjects and show which of them are caught.")
@click.option("--keep", is_flag=True, help="With --hostile: store the records, so that `failtrace show` opens them.")
@click.option("--filed", is_flag=True, hidden=True, help="With --hostile: the audit knows already who asked.")
@json_option
def doctor(hostile: bool, keep: bool, filed: bool, as_json: bool) -> int:
    """Check this installation, and say what to do where it is ill.

    Looks at Python, SQLite, the libraries, the home folder, the journal, what is secret here, the mirror, the store,
    the delivery, the subjects, programs that watch and a fresh process; exit 1 if any of them fails. With --hostile,
    exit 1 if anything was not caught; the answer is kept in the home folder, and the Health page shows it.
    """
    if keep and not hostile:
        raise click.UsageError("--keep stores the records of --hostile; give both.")
    if not hostile:
        return _examine(as_json)
    settings = Settings.load()
    if not filed:
        _file(settings)
    return _hostile(settings, keep, as_json)


def _examine(as_json: bool) -> int:
    findings = list(examine(pages=True))
    for finding in findings:
        if as_json:
            print_json({"type": "finding", "check": finding.check, "state": finding.state, "detail": finding.detail})
        else:
            _print(finding)
    return int(any(finding.state == "failed" for finding in findings))


def _file(settings: Settings) -> None:
    """An ill installation is what one runs them on, too: a mirror that takes no entry is not in their way."""
    try:
        # Not `Mirror.open`: who opens a mirror first after a kill must look at its log before SQLite does.
        mirror, _ = open_or_rescue(settings.mirror_path, settings.keep_passed, outbox=False)
        with mirror:
            mirror.note("ran the hostile subjects", f"{len(HOSTILE)} of them")
    except StoreError as error:
        _log.warning("This is not filed in the audit. %s", error)


def _hostile(settings: Settings, keep: bool, as_json: bool) -> int:
    services = open_services(settings) if keep else None
    told = []
    try:
        for caught in run_hostile(services.store if services else None):
            told.append(caught)
            if as_json:
                print_json({"type": "caught", **asdict(caught)})
            else:
                _print_caught(caught)
    finally:
        if services:
            services.close()
    if not as_json:
        to_stdout().print(summed_up(told), soft_wrap=True)
    keep_result(settings.home, told)
    return int(not all(caught.caught for caught in told))


def _print(finding: Finding) -> None:
    row = Table.grid(padding=(0, 1), pad_edge=False)
    row.add_column()
    row.add_column(width=9)
    row.add_column(overflow="fold")
    row.add_row(_MARK[finding.state], finding.check, printable(finding.detail))
    to_stdout().print(row)


def _print_caught(caught: Caught) -> None:
    row = Table.grid(padding=(0, 1), pad_edge=False)
    row.add_column()
    row.add_column(width=39)
    row.add_column(width=7, justify="right")
    row.add_column(overflow="fold")
    kept = f" {caught.failure_id}" if caught.failure_id else ""
    row.add_row(
        _MARK["ok" if caught.caught else "failed"],
        caught.title,
        f"{caught.elapsed_s:.1f} s",
        printable(caught.told + kept),
    )
    to_stdout().print(row)

"""`failtrace list`: the newest failures."""

from __future__ import annotations

import click
from rich.table import Table

from failtrace.cli.options import json_option
from failtrace.cli.output import ICONS, one_line, print_json, to_stdout
from failtrace.contracts import FailureType
from failtrace.mirror.views import ExecutionRow, FailureFilter
from failtrace.services import open_services


@click.command("list")
@click.option("--type", "failure_type", type=click.Choice([kind.value for kind in FailureType]), help="Only this type.")
@click.option("--subject", help="Only this subject.")
@click.option("--run", "run_id", help="Only this run.")
@click.option("--search", default="", help="Only failures that hold these words.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many.")
@json_option
def list_failures(
    failure_type: str | None, subject: str | None, run_id: str | None, search: str, limit: int, as_json: bool
) -> None:
    """List failures, newest first."""
    wanted = FailureFilter(
        text=search,
        failure_types=(FailureType(failure_type),) if failure_type else (),
        subjects=(subject,) if subject else (),
        run_id=run_id,
    )
    services = open_services()
    try:
        rows, total = _rows(services.store.mirror.failures, wanted, limit)
    finally:
        services.close()
    if as_json:
        for row in rows:
            print_json(_as_json(row))
    else:
        _print_table(rows, total)


def _rows(failures, wanted: FailureFilter, limit: int) -> tuple[list[ExecutionRow], int]:  # type: ignore[no-untyped-def]
    rows: list[ExecutionRow] = []
    after: str | None = None
    while True:
        page = failures(wanted, limit=min(limit - len(rows), 1000), after=after)
        rows.extend(page.rows)
        after = page.after
        if after is None or len(rows) >= limit:
            return rows, page.total


def _as_json(row: ExecutionRow) -> dict[str, object]:
    return {
        "failure_id": row.failure_id,
        "trace_id": row.trace_id,
        "run_id": row.run_id,
        "subject": row.subject,
        "failure_type": row.failure_type,
        "message": row.message,
        "occurred_at": row.ended_at.isoformat(),
        "duration_ms": row.duration_ms,
        "fingerprint": row.fingerprint,
    }


def _print_table(rows: list[ExecutionRow], total: int) -> None:
    console = to_stdout()
    if not rows:
        console.print("No failures match. `failtrace run` runs every registered subject.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("when (UTC)", "type", "subject", "message", "failure_id"):
        table.add_column(heading, no_wrap=heading != "message", overflow="fold")
    for row in rows:
        icon = ICONS[row.failure_type] if row.failure_type else ""
        table.add_row(
            f"{row.ended_at:%Y-%m-%d %H:%M:%S}",
            f"{icon} {row.failure_type}",
            one_line(row.subject, 60),
            one_line(row.message, 120),
            row.failure_id,
        )
    console.print(table)
    console.print(f"{len(rows)} of {total}.")

"""`failtrace list`: the newest failures."""

from __future__ import annotations

import click

from failtrace.cli.options import json_option
from failtrace.cli.output import print_failure, print_json, to_stdout
from failtrace.contracts import FailureType
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.views import ExecutionRow, FailureFilter
from failtrace.services import open_services
from failtrace.wording import count_of


@click.command("list")
@click.option("--type", "failure_type", type=click.Choice([kind.value for kind in FailureType]), help="Only this type.")
@click.option("--subject", metavar="NAME", help="Only this subject.")
@click.option("--run", "run_id", metavar="RUN_ID", help="Only this run.")
@click.option("--search", metavar="WORDS", default="", help="Only failures that hold these words.")
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
        rows, total = _rows(services.store.mirror, wanted, limit)
        home = services.settings.home.absolute()
    finally:
        services.close()
    if as_json:
        for row in rows:
            print_json(_as_json(row))
    elif rows:
        _print_rows(rows, total)
    else:
        what = "No failure" if wanted == FailureFilter() else "No such failure"
        sentence = f"{what} is recorded in {str(home)!r} (FAILTRACE_HOME)."
        to_stdout().print(f"{sentence} `failtrace run` runs every registered subject.", soft_wrap=True)


def _rows(mirror: Mirror, wanted: FailureFilter, limit: int) -> tuple[list[ExecutionRow], int]:
    rows: list[ExecutionRow] = []
    after: str | None = None
    while True:
        page = mirror.failures(wanted, limit=min(limit - len(rows), 1000), after=after)
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


def _print_rows(rows: list[ExecutionRow], total: int) -> None:
    console = to_stdout()
    for row in rows:
        if row.failure_type is not None:
            at = f"  {row.ended_at:%Y-%m-%d %H:%M:%S} UTC"
            print_failure(console, row.failure_type, row.failure_id, row.subject, row.message, at=at)
    more = "" if len(rows) == total else "; --limit N shows more"
    console.print(f"{len(rows):,} of {count_of(total, 'failure')}{more}. `failtrace show FAILURE_ID` opens one.")

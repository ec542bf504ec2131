"""The end of a run, for people and for programs."""

from collections.abc import Sequence

from failtrace.cli.output import print_json, to_stderr, to_stdout
from failtrace.run_report import RunReport
from failtrace.wording import count_of, printable


def print_report(report: RunReport, problems: Sequence[str], *, as_json: bool) -> None:
    """The summary on stdout; what failtrace could not do, sentence by sentence, on stderr."""
    for problem in problems:
        to_stderr().print(problem, soft_wrap=True)
    if as_json:
        _print_summary(report)
        return
    counted = ", ".join(f"{count} {kind}" for kind, count in report.by_type.items())
    lines = [
        f"{count_of(report.executions, 'execution')} in {report.elapsed_s:.1f} s: "
        f"{report.passed} passed, {report.failed} failed{f' ({counted})' if counted else ''}.",
        f"{report.stored} stored under run {report.run_id}"
        + (f", {report.pending} not yet delivered." if report.pending else "."),
    ]
    if report.pending:
        why = printable(report.pending_why) or "Cosmos DB has not confirmed them yet."
        lines.append(f"{why} They are safe in the mirror; the dashboard, the next run or `failtrace sync` goes on.")
    if report.errored:
        lines.append(f"{count_of(report.errored, 'execution')} could not be carried out; stderr says why.")
    if report.not_run:
        why = ": the run was stopped" if report.state == "cancelled" else ""
        lines.append(f"{count_of(report.not_run, 'execution')} not run{why}.")
    if report.failed:
        lines.append("Open one with `failtrace show FAILURE_ID`, or all in `failtrace dashboard`.")
    to_stdout().print("\n".join(lines), soft_wrap=True)


def _print_summary(report: RunReport) -> None:
    print_json(
        {
            "type": "summary",
            "run_id": report.run_id,
            "state": report.state,
            "executions": report.executions,
            "passed": report.passed,
            "failed": report.failed,
            "by_type": report.by_type,
            "stored": report.stored,
            "pending": report.pending,
            "not_run": report.not_run,
            "errored": report.errored,
            "elapsed_s": round(report.elapsed_s, 3),
        }
    )

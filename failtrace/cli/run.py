"""`failtrace run`: run subjects on inputs and store every record."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import uuid6
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from failtrace.cli.options import json_option, store_option
from failtrace.cli.output import is_terminal, print_failure, print_json, print_line, to_stderr, to_stdout
from failtrace.cli.report import print_report
from failtrace.errors import InputError
from failtrace.inputs import JsonLines, parse_line
from failtrace.run_report import ExecutionResult, RunReport
from failtrace.runner import Runner, planned_executions
from failtrace.services import Services, open_services
from failtrace.storage.trace_store import StoreKind
from failtrace.subjects.loading import resolve_subject
from failtrace.subjects.subject import Subject
from failtrace.tracing import configure_from_environment


@click.command("run")
@click.argument("names", metavar="[SUBJECT]...", nargs=-1)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of JSON lines, one input a line; - is stdin.",
)
@click.option("--input", "one_input", metavar="JSON", help="One input, as JSON.")
@store_option
@click.option("--timeout", type=float, metavar="SECONDS", help="For each execution, in place of the subjects' own.")
@click.option("--workers", type=int, metavar="N", default=2, show_default=True, help="How many executions at once.")
@click.option("--check", is_flag=True, help="Exit 1 when anything failed.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="How long to wait at the end until Cosmos DB has the failures; what is pending then follows later.",
)
@click.option("--run-id", metavar="ID", help="The id of this run; made up where not given.")
@json_option
def run(
    names: tuple[str, ...],
    inputs: Path | None,
    one_input: str | None,
    store: StoreKind,
    timeout: float | None,
    workers: int,
    check: bool,
    wait: float,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Run subjects and record how they end.

    A SUBJECT is a registered name or module:attribute; without one, all registered subjects run. Without inputs each
    subject runs on its own examples.
    """
    values = _values(inputs, one_input)
    if unsent := configure_from_environment():
        print_line(f"failtrace: spans are not sent: {unsent}", err=True)
    services = open_services(store=store)
    try:
        chosen = _chosen(services, names)
        report = _run(services, chosen, values, timeout, workers, wait, run_id or str(uuid6.uuid7()), as_json)
    finally:
        services.close()
    problems = [*report.problems, *(values.told() if isinstance(values, JsonLines) else [])]
    print_report(report, problems, as_json=as_json)
    if report.state == "cancelled":
        return 130
    nothing_ran = problems and not report.executions
    return 2 if report.problems or nothing_ran else int(check and report.failed > 0)


def _values(inputs: Path | None, one_input: str | None) -> JsonLines | list[Any] | None:
    if inputs is not None and one_input is not None:
        raise InputError("--input and --inputs were both given; give one of them.")
    if inputs is not None:
        return JsonLines(inputs)
    if one_input is None:
        return None
    try:
        return [parse_line(one_input)]
    except ValueError as error:
        raise InputError(f"--input {one_input!r:.80} is not JSON ({error}); quote it as JSON.") from error


def _chosen(services: Services, names: Iterable[str]) -> list[Subject]:
    chosen = [resolve_subject(name) for name in names] or list(services.registry.subjects())
    if not chosen:
        raise InputError("There is no subject to run; name one as module:attribute, or set FAILTRACE_SUBJECTS.")
    return chosen


def _run(
    services: Services,
    subjects: list[Subject],
    values: JsonLines | list[Any] | None,
    timeout: float | None,
    workers: int,
    wait: float,
    run_id: str,
    as_json: bool,
) -> RunReport:
    planned = planned_executions(subjects, values)
    with _stop_on_signals() as stop, _progress_bar(planned, enabled=not as_json) as progress:

        def ended(result: ExecutionResult) -> None:
            _print_result(result, progress, as_json=as_json)

        def should_stop() -> bool:
            return stop.is_set() or services.store.mirror.cancel_requested(run_id)

        runner = Runner(
            services.store,
            workers=workers,
            timeout=timeout,
            progress=ended,
            should_stop=should_stop,
            settings=services.settings,
            flush_s=wait,
        )
        return runner.run(subjects, values, run_id=run_id)


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """The first Ctrl-C or SIGTERM asks for a clean stop; a second one interrupts."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:  # noqa: ARG001  the signal module's
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress_bar(planned: int | None, *, enabled: bool) -> Iterator[Progress | None]:
    console = to_stderr()
    if not (enabled and console.is_terminal):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("running", total=planned)
        yield progress


def _print_result(result: ExecutionResult, progress: Progress | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "type": "execution",
                "trace_id": result.trace_id,
                "failure_id": result.failure_id,
                "subject": result.subject,
                "outcome": result.outcome,
                "failure_type": result.failure_type,
                "duration_ms": round(result.duration_ms, 3),
                "stored": result.stored,
            }
        )
        return
    if progress is not None:
        progress.advance(progress.task_ids[0])
    if result.failure_type is not None:
        # Through the bar's console where both share a screen; a redirected stdout gets its failures all the same.
        console = progress.console if progress is not None and is_terminal() else to_stdout()
        print_failure(console, result.failure_type, result.failure_id, result.subject, result.message)

"""`failtrace doctor`: is this installation well, and what to do where it is not."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
from rich.table import Table

from failtrace.capture.journal import segments
from failtrace.cli.options import json_option
from failtrace.cli.output import count_of, print_json, printable, to_stdout
from failtrace.detection.run import run_with_failure_detection
from failtrace.errors import FailtraceError
from failtrace.execution.header import package_version
from failtrace.mirror.mirror import Mirror
from failtrace.services import load_registry
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore

State = Literal["ok", "warning", "failed"]
_MARK = {"ok": "✓", "warning": "!", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; a finding that is not ok says what to do."""

    check: str
    state: State
    detail: str


@click.command("doctor")
@json_option
def doctor(as_json: bool) -> int:
    """Check this installation, and say what to do where it is ill.

    Looks at Python, SQLite, the home folder, the journal, the mirror, the store, the subjects and a fresh process;
    exit 1 if any of them fails.
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


def examine() -> Iterator[Finding]:
    """Every finding, one after another; a check that cannot be made is a failed finding, never an error."""
    try:
        settings = Settings.load()
    except FailtraceError as error:
        yield Finding("settings", "failed", str(error))
        return
    yield Finding("failtrace", "ok", f"{package_version()} at {Path(__file__).parents[1]}")
    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable}) on {platform.platform()}")
    yield _sqlite()
    for check, look in (
        ("home", _home),
        ("journal", _journal),
        ("mirror", _mirror),
        ("store", _store),
        ("subjects", _subjects),
        ("process", _process),
    ):
        yield _guarded(check, look, settings)


def _guarded(check: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except FailtraceError as error:
        return Finding(check, "failed", str(error))
    except OSError as error:
        return Finding(check, "failed", f"The system refused: {error}.")


def _sqlite() -> Finding:
    """The write-ahead log of SQLite before 3.51.3 can lose a commit when a checkpoint and a write race.

    Fixed in 3.51.3, and in 3.50.7 and 3.44.6 for their lines.
    """
    version = sqlite3.sqlite_version_info
    sound = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    if sound:
        return Finding("sqlite", "ok", sqlite3.sqlite_version)
    return Finding(
        "sqlite",
        "warning",
        f"{sqlite3.sqlite_version} has a rare fault in its write-ahead log (fixed in 3.51.3, 3.50.7 and 3.44.6); "
        "a Python built with a newer SQLite is safer.",
    )


def _home(settings: Settings) -> Finding:
    home = settings.home.absolute()
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding("home", "failed", f"{home} cannot be made ({error.strerror}); set FAILTRACE_HOME to a folder.")
    if not os.access(settings.home, os.W_OK | os.X_OK):
        return Finding("home", "failed", f"{home} cannot be written; make it writable, or set FAILTRACE_HOME.")
    return Finding("home", "ok", str(home))


def _journal(settings: Settings) -> Finding:
    folder = settings.journal_path.absolute()
    aside = sum(1 for path in folder.glob("*.unreadable")) if folder.is_dir() else 0
    waiting = sum(1 for _ in segments(folder))
    if aside:
        return Finding(
            "journal",
            "warning",
            f"{count_of(aside, 'segment')} could not be read (damaged, or of another version of failtrace); "
            f"look at {folder / '*.unreadable'}, then remove them.",
        )
    return Finding(
        "journal", "ok", f"{count_of(waiting, 'execution')} under way, or to be taken up by the next command"
    )


def _mirror(settings: Settings) -> Finding:
    with Mirror.open(settings.mirror_path) as mirror:
        health = mirror.health()
    return Finding(
        "mirror",
        "ok",
        f"{count_of(health.executions, 'execution')}, {count_of(health.failures, 'failure')}, "
        f"{count_of(health.records, 'whole record')}, {health.size_bytes:,} bytes",
    )


def _store(settings: Settings) -> Finding:
    with TraceStore.open(settings=settings) as store:
        beside = "nothing beside the mirror" if store.kind == "memory" else "beside the mirror"
        return Finding("store", "ok", f"{store.kind}, {beside}")


def _subjects(settings: Settings) -> Finding:
    registry = load_registry(settings)
    known = len(registry.subjects())
    if registry.problems:
        return Finding("subjects", "failed", f"{known} registered. {' '.join(registry.problems)}")
    return Finding("subjects", "ok", f"{known} registered")


def _echo(word: str) -> str:
    return word


def _process(settings: Settings) -> Finding:  # noqa: ARG001  every check takes the settings
    failure, record = run_with_failure_detection(_echo, "well", timeout=30)
    if failure is not None or record.output != "well":
        return Finding("process", "failed", f"A fresh process did not answer as it should: {record.outcome.kind}.")
    return Finding("process", "ok", f"an execution in a fresh process took {record.duration_ms:.1f} ms")

"""Is this installation well, and what to do where it is not: what `doctor` prints and the Health page shows."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

from failtrace.capture.journal import segments
from failtrace.capture.own_rules_found import rules_of
from failtrace.capture.redaction import redact_sentence
from failtrace.detection.run import run_with_failure_detection
from failtrace.errors import FailtraceError
from failtrace.mirror.mirror import Mirror
from failtrace.mirror.problems import damaged
from failtrace.mirror.rescue import begin, set_aside
from failtrace.secrets.own_secrets import secret_texts, secrets_files
from failtrace.secrets.shapes import SHAPES
from failtrace.services import load_registry
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore
from failtrace.version import package_version
from failtrace.watching import watch_faults
from failtrace.wording import ago, count_of, size

State = Literal["ok", "warning", "failed"]
_LIBRARIES = ("pydantic", "opentelemetry-sdk", "sqlmodel", "streamlit", "azure-cosmos")
_SLOW = timedelta(minutes=10)
"""A backlog older than this is worth a warning."""
_MOST_LOOKED_AT = 256 << 20
"""Bytes of a mirror whose pages are all looked at: half a second's, and a few seconds' of a slow disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; a finding that is not ok says what to do."""

    check: str
    state: State
    detail: str


def examine(*, pages: bool = False) -> Iterator[Finding]:
    """Every finding, one after another; a check that cannot be made is a failed finding, never an error.

    With `pages` those of the mirror are all read, as far as that takes no longer than one waits for a command. A page
    of the dashboard is drawn again with every click, for each visitor, and its line says that it did not look.
    """
    try:
        settings = Settings.load()
    except FailtraceError as error:
        yield Finding("settings", "failed", str(error))
        return
    yield Finding("failtrace", "ok", f"{package_version()} at {Path(__file__).parents[1]}")
    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable}) on {platform.platform()}")
    yield _libraries()
    yield _sqlite()
    for check, look in (
        ("home", _home),
        ("journal", _journal),
        ("redaction", _redaction),
        # A store that is opened rescues a damaged mirror first; what is told of it then is true.
        ("store", _store),
        ("mirror", partial(_mirror, pages=pages)),
        ("delivery", _delivery),
        ("subjects", _subjects),
        ("watch", _watch),
        ("process", _process),
    ):
        yield _guarded(check, look, settings)


def _guarded(check: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except FailtraceError as error:
        return Finding(check, "failed", redact_sentence(str(error)))
    except OSError as error:
        return Finding(check, "failed", f"The system refused: {error}.")


def _libraries() -> Finding:
    return Finding("libraries", "ok", ", ".join([f"{name} {_version(name)}" for name in _LIBRARIES]))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


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


def _redaction(settings: Settings) -> Finding:
    """What is secret here, by number: to name the secrets would tell them."""
    readable = [path for path in secrets_files() if path.is_file() and path.stat().st_mode & 0o077]
    if readable:
        return Finding(
            "redaction", "warning", f"{readable[0]} can be read by other accounts; do `chmod 600 {readable[0]}`."
        )
    own = rules_of(settings, os.environ)
    kept = len(own.keep_keys) + len(own.keep_values) + len(own.keep_rules)
    shapes = f"{len(SHAPES) - sum(rule.name in own.keep_rules for rule in SHAPES)} shapes of secrets"
    counts = {"name": len(own.keys), "expression": len(own.patterns), "exception": kept}
    theirs = ", ".join([count_of(number, thing) for thing, number in counts.items() if number])
    told = f"{shapes}; {f'rules of your own: {theirs}' if theirs else 'no rules of your own'}"
    configured = [settings.cosmos_key.get_secret_value()] if settings.cosmos_key is not None else []
    secrets = len(secret_texts(configured, os.environ))
    written = ", also as URLs, JSON, HTML and base64 write them" if secrets else ""
    told += f"; {count_of(secrets, 'secret')} of this process's own{written}"
    return Finding("redaction", "ok", told)


def _mirror(settings: Settings, *, pages: bool) -> Finding:
    begin(settings.mirror_path, settings.keep_passed)
    with Mirror.open(settings.mirror_path) as mirror:
        health = mirror.health()
        looks = pages and health.size_bytes <= _MOST_LOOKED_AT
        if looks and not mirror.has_sound_pages():
            raise damaged(mirror.path)
    if asides := set_aside(settings.mirror_path):
        aside, told = asides[0]
        return Finding(
            "mirror",
            "warning",
            f"{told or f'A damaged mirror is kept as {str(aside)!r}.'} Remove it when it is no use.",
        )
    written = f"last written {ago(health.last_write_at)} ago" if health.last_write_at else "never written"
    return Finding(
        "mirror",
        "ok",
        f"{count_of(health.executions, 'execution')}, {count_of(health.failures, 'failure')}, "
        f"{count_of(health.records, 'whole record')}, {size(health.size_bytes)}, {written}, "
        f"version {health.schema_version}; {_looked_at(looks, pages)}",
    )


def _looked_at(looked: bool, asked: bool) -> str:
    if looked:
        return "every page can be read"
    command = "failtrace recover --mirror" if asked else "failtrace doctor"
    return f"its pages were not looked at: `{command}` does"


def _store(settings: Settings) -> Finding:
    with TraceStore.open(settings=settings) as store:
        if store.backend.remote:
            health = store.backend.health()
            state: State = "ok" if health.reachable else "warning"
            return Finding("store", state, f"{store.kind} ({store.source}), beside the mirror. {health.detail}")
        return Finding("store", "ok", f"{store.kind}, nothing beside the mirror")


def _delivery(settings: Settings) -> Finding:
    """By what the mirror knows: no network is asked."""
    with TraceStore.open(settings=settings) as store:
        if not store.backend.remote:
            return Finding("delivery", "ok", "nothing to deliver: no Cosmos DB is set")
        return delivery_finding(store)


def delivery_finding(store: TraceStore) -> Finding:
    """How the delivery to a remote store stands."""
    state = store.mirror.outbox.status()
    if state.paused:
        return Finding("delivery", "failed", f"{count_of(state.pending, 'failure')} wait. {state.paused}")
    if state.oldest_pending_at and datetime.now(UTC) - state.oldest_pending_at > _SLOW:
        why = state.last_error or "no process is delivering: start the dashboard, or run `failtrace sync`"
        since = ago(state.oldest_pending_at)
        return Finding("delivery", "warning", f"{count_of(state.pending, 'failure')} wait, one for {since}: {why}")
    if state.dead:
        told = count_of(state.dead, "dead letter")
        return Finding(
            "delivery", "warning", f"{told} that Cosmos DB does not take; see `failtrace cosmos dead-letters`"
        )
    if unreadable := store.mirror.inbox.count_unreadable(store.source):
        told = count_of(unreadable, "item")
        return Finding("delivery", "warning", f"{told} in the container could not be read; see the Health page")
    return Finding("delivery", "ok", f"{count_of(state.pending, 'failure')} on the way, no dead letters")


def _subjects(settings: Settings) -> Finding:
    registry = load_registry(settings)
    known = len(registry.subjects())
    if registry.problems:
        return Finding("subjects", "failed", f"{known} registered. {redact_sentence(' '.join(registry.problems))}")
    return Finding("subjects", "ok", f"{known} registered")


def _watch(settings: Settings) -> Finding:
    """Of watched programs only those that had trouble leave word."""
    troubled = watch_faults(settings)
    if not troubled:
        return Finding("watch", "ok", "no watched program had trouble within a week")
    newest = troubled[0]
    counts = {
        "dropped": newest.dropped,
        "left for a recovery": newest.left,
        "on no disk": newest.in_memory_alone,
        "faults of failtrace's": newest.faults,
    }
    told = ", ".join([f"{words}: {number:,}" for words, number in counts.items() if number])
    why = f" (the last: {newest.last_fault})" if newest.last_fault else ""
    lost = newest.dropped or newest.in_memory_alone or newest.faults
    to_do = (
        "see that the disk of FAILTRACE_HOME has room and can be written" if lost else "`failtrace recover` stores them"
    )
    return Finding(
        "watch",
        "warning",
        f"{count_of(len(troubled), 'watched program')} had trouble within a week; the newest, {newest.program!r}, "
        f"{ago(datetime.fromtimestamp(newest.at, UTC))} ago. Of its calls {told}{why}. They went on as they would; "
        f"{to_do}.",
    )


def _echo(word: str) -> str:
    return word


def _process(settings: Settings) -> Finding:  # noqa: ARG001  every check takes the settings
    failure, record = run_with_failure_detection(_echo, "well", timeout=30)
    if failure is not None or record.output != "well":
        return Finding("process", "failed", f"A fresh process did not answer as it should: {record.outcome.kind}.")
    return Finding("process", "ok", f"an execution in a fresh process took {record.duration_ms:.1f} ms")

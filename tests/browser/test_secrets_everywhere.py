"""Secrets told in every place reach no disk, no network, no export, no terminal and no page; look-alikes reach all."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import Open
from browser.test_payloads import settled, walk
from opentelemetry.sdk.trace import ReadableSpan
from support.cosmos_fixtures import Cosmos
from support.secret_samples import LOOK_ALIKES, SECRETS

from failtrace import TraceRecord
from failtrace.exchange.rows import csv_table, json_lines
from failtrace.exchange.spans import spans_of
from failtrace.mirror.mirror import Mirror

TESTS = Path(__file__).parents[1]
OWN = "correct.horse-battery"
SUBJECTS = ("fail", "answer", "claim", "crash")
MARKED = re.compile(r".{60}(?:\[redacted:|failtrace\": \"redacted).{30}")
PLACES = """input, output, steps, attributes, events, logs, stdout, stderr, exceptions, notes, causes, environment,
contract violations, claims, keys"""


@pytest.fixture
def home(home: Path, cosmos: Cosmos, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose dashboard and commands deliver to Cosmos DB, with a secret of the process's own."""
    for name, value in {**cosmos.environment, "SHOP_API_KEY": OWN, "FAILTRACE_SUBJECTS": "support.talker"}.items():
        monkeypatch.setenv(name, value)
    return home


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "failtrace", *words]


def failtrace(*words: str) -> str:
    """What the command says, on both streams."""
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False, cwd=TESTS)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def run_all(texts: list[str], tmp_path: Path) -> str:
    inputs = tmp_path / "inputs.jsonl"
    inputs.write_text(json.dumps(texts))
    said = [failtrace("run", f"support.talker:{name}", "--inputs", str(inputs)) for name in SUBJECTS]
    inputs.unlink()
    return "\n".join(said)


def leave_a_journal(texts: list[str], home: Path, tmp_path: Path) -> bytes:
    """What the journal holds of an execution whose program was killed."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    told = json.dumps({"texts": texts, "ready": str(ready)})
    runner = subprocess.Popen(command("run", "support.talker:wait", "--input", told), cwd=TESTS, stdout=subprocess.PIPE)
    with ready.open() as pipe:
        assert pipe.read() == "told"
    runner.kill()
    runner.communicate()
    return b"\n".join(path.read_bytes() for path in (home / "journal").iterdir())


def records_of(export: Path) -> Iterator[dict[str, object]]:
    for line in export.read_text().splitlines():
        told = json.loads(line)
        if isinstance(told.get("record"), dict):
            yield told["record"]


def table_of(home: Path) -> bytes:
    """The CSV and the JSON Lines that the failures page gives."""
    with Mirror.open(home / "mirror.sqlite") as mirror:
        rows = mirror.failures(limit=100).rows
        return csv_table(rows) + json_lines([mirror.record(row.trace_id) or b"" for row in rows]).content


def spans(records: list[dict[str, object]]) -> Iterator[ReadableSpan]:
    """What goes to OpenTelemetry's receivers."""
    for record in records:
        yield from spans_of(TraceRecord.model_validate_json(json.dumps(record)))


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def pages(open_: Open, ids: list[str]) -> Iterator[tuple[str, bytes]]:
    addresses = [
        "failures?range=all",
        "overview?range=all",
        "health",
        "run",
        *[f"failure?failure_id={one}" for one in ids],
    ]
    for address in (*addresses, f"compare?left={ids[0]}&right={ids[1]}"):
        page = open_(f"/{address}")
        settled(page)
        walk(page)
        yield address, (page.content() + page.locator("body").inner_text()).encode()
        page.close()


@pytest.mark.timeout(600)
def test_secrets_in_every_place_reach_nothing(home: Path, cosmos: Cosmos, open_: Open, tmp_path: Path) -> None:
    """Of every kind, in every place of an execution, and looked for in everything that is left or shown of it."""
    texts = [text for text, _ in SECRETS.values()] + [f"connected with {OWN} at last"]
    needles = {needle.encode() for _, needle in SECRETS.values()} | {OWN.encode()}

    terminal = run_all(texts, tmp_path)
    journal = leave_a_journal(texts, home, tmp_path)
    terminal += failtrace("recover")
    whole = tmp_path / "whole.jsonl"
    terminal += failtrace("export", str(whole))
    records = list(records_of(whole))
    ids = [str(record["failure_id"]) for record in records]
    for failure_id in ids:
        terminal += failtrace("show", failure_id) + failtrace("show", failure_id, "--json")

    sinks = {
        "the terminal": terminal.encode(),
        "the journal of a killed program": journal,
        "exports": whole.read_bytes() + table_of(home),
        "spans": "".join(span.to_json() for span in spans(records)).encode(),
        "Cosmos DB": json.dumps(cosmos.items(), ensure_ascii=False).encode(),
        **{f"page {address}": content for address, content in pages(open_, ids)},
        **{f"file {name}": content for name, content in files_below(home)},
    }
    hits = [(where, needle) for where, content in sinks.items() for needle in needles if needle in content]

    assert hits == [], {needle: [w for w, n in hits if n == needle] for _, needle in hits}
    assert len(records) == len(SUBJECTS) + 1
    assert all(record["completeness"]["values_redacted"] >= len(SECRETS) for record in records)  # type: ignore[index]
    assert {name for name, _ in files_below(home)} >= {"mirror.sqlite", "mirror.sqlite-wal"}
    kinds, places = len(SECRETS) + 1, len(PLACES.split(","))
    print(f"\n{kinds} kinds of secrets in {places} places: 0 hits in {len(sinks)} sinks")


def test_look_alikes_in_every_place_stay(tmp_path: Path) -> None:
    """Not one is redacted, in any place of any execution."""
    run_all(LOOK_ALIKES, tmp_path)
    whole = tmp_path / "whole.jsonl"
    failtrace("export", str(whole))
    records = list(records_of(whole))

    assert len(records) == len(SUBJECTS)
    for record in records:
        assert record["input"] == LOOK_ALIKES
        assert [m[0] for m in MARKED.finditer(json.dumps(record).replace("[redacted:github]: not here", ""))] == []
        assert record["completeness"]["values_redacted"] == 0  # type: ignore[index]
    print(f"\n{len(LOOK_ALIKES)} look-alikes in {len(PLACES.split(','))} places: 0 redacted")

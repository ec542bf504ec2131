"""Hostile values through every place of an execution, and back from every place that keeps its record."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.carrier import VALUES
from support.cosmos_fixtures import Cosmos, cosmos, cosmos_account, cosmos_service

from failtrace import FailureType, TraceStore
from failtrace.codec import decode_record, encode_record
from failtrace.contracts import TraceRecord
from failtrace.settings import Settings

__all__ = ["cosmos", "cosmos_account", "cosmos_service"]
AT_LEAST = 60
TESTS = Path(__file__).parent


def python(home: Path, *words: str, **environment: str) -> None:
    """A program of its own with this home; it must end well and say nothing of errors."""
    variables = {**os.environ, **environment, "FAILTRACE_HOME": str(home)}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=TESTS, env=variables)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr.replace("--- Logging error ---\nTraceback", "")


def stored(home: Path, records: list[TraceRecord]) -> list[bytes | None]:
    """What the mirror of a home has of each."""
    with TraceStore.open("memory", settings=Settings.load(home=home)) as store:
        return [store.mirror.record(str(record.failure_id)) for record in records]


@pytest.mark.timeout(300)
def test_hostile_values_come_back_equal_from_everywhere(cosmos: Cosmos, tmp_path: Path) -> None:
    """Through input, output, step, exception and log: a record each of the right failure_type, the same bytes in
    SQLite, Cosmos DB and an export."""
    here, there, restored = tmp_path / "here", tmp_path / "there", tmp_path / "restored"
    told, export = tmp_path / "told.jsonl", str(tmp_path / "export.jsonl")

    python(here, "-m", "support.carrier", str(told), **cosmos.environment)
    python(here, "-m", "failtrace", "export", export)
    python(restored, "-m", "failtrace", "import", export)
    lines = told.read_bytes().splitlines()
    records = [decode_record(line) for line in lines]
    with TraceStore.open("cosmos", settings=cosmos.settings(home=there)) as elsewhere:
        found = [elsewhere.get_trace(str(record.failure_id)) for record in records]

    assert [record.failure and record.failure.failure_type for record in records] == [
        FailureType.EXCEPTION,
        FailureType.VALIDATION_ERROR,
    ] * len(VALUES)
    assert {record.failure.error.type for record in records[::2] if record.failure and record.failure.error} == {
        "ValueError"
    }
    assert {(len(record.steps), len(record.logs.lines)) for record in records} == {(1, 1)}
    assert stored(here, records) == lines
    assert stored(restored, records) == lines
    assert [encode_record(record) for record in found if record] == lines
    assert len(VALUES) >= AT_LEAST
    print(
        f"\n{len(VALUES)} hostile values in 5 places: {len(records)} records, equal from SQLite, Cosmos DB and export"
    )

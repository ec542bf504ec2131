"""What tests of `watch` share: a host as a program of its own, and what was recorded of it."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from failtrace import TraceStore
from failtrace.contracts import TraceRecord
from failtrace.recorder import recorder


def recorded() -> list[TraceRecord]:
    """All records, oldest first, once the recorder has nothing left to do."""
    assert recorder().flush()
    with TraceStore.open() as store:
        rows = store.mirror.executions(limit=1000).rows
        found = [store.get_trace(row.failure_id or row.trace_id) for row in rows]
    return [record for record in reversed(found) if record is not None]


def recovered() -> list[TraceRecord]:
    """The same, once the next start of anything has looked at the journal."""
    subprocess.run([sys.executable, "-m", "failtrace", "recover"], capture_output=True, timeout=60, check=True)
    return recorded()


def program(tmp_path: Path, code: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """A host of its own, on this test's home."""
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(code))
    return subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, **options)

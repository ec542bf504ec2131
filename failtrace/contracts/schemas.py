"""Writes the JSON Schema of each stored shape: `python -m failtrace.contracts.schemas docs/schema`."""

import json
import sys
from pathlib import Path

from failtrace.contracts.base import SCHEMA_VERSION, Contract
from failtrace.contracts.failure_event import FailureEvent
from failtrace.contracts.trace_record import TraceRecord
from failtrace.contracts.trace_step import TraceStep

PUBLISHED: tuple[type[Contract], ...] = (FailureEvent, TraceRecord, TraceStep)
"""The shapes that other programs read."""


def schema_file_name(model: type[Contract]) -> str:
    """E.g. `TraceRecord.v1.json`."""
    return f"{model.__name__}.v{SCHEMA_VERSION}.json"


def schema_text(model: type[Contract]) -> str:
    """The JSON Schema of a shape as it is stored, the same text for the same shape."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write one file for each published shape into `folder`, and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for model in PUBLISHED:
        path = folder / schema_file_name(model)
        path.write_text(schema_text(model), encoding="utf-8")
        written.append(path)
    return tuple(written)


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))

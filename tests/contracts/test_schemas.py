"""The committed JSON Schemas."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from support.records import make_record

from failtrace.codec import encode_record
from failtrace.contracts import TraceRecord
from failtrace.contracts.base import Contract
from failtrace.contracts.schemas import PUBLISHED, schema_file_name, schema_text

COMMITTED = Path(__file__).parents[2] / "docs" / "schema"
FROZEN = Path(__file__).parent / "fixtures" / "trace_record.v1.json"


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.__name__)
def test_the_committed_schema_is_the_models(model: type[Contract]) -> None:
    """A shape that is out changes only as a new version: docs/schema says what the model says."""
    assert (COMMITTED / schema_file_name(model)).read_text("utf-8") == schema_text(model)


def test_nothing_else_is_committed() -> None:
    """docs/schema holds the published shapes and no leftovers."""
    assert {path.name for path in COMMITTED.iterdir()} == {schema_file_name(model) for model in PUBLISHED}


def test_the_command_writes_what_is_committed(tmp_path: Path) -> None:
    """`python -m failtrace.contracts.schemas FOLDER` makes the committed files."""
    subprocess.run([sys.executable, "-m", "failtrace.contracts.schemas", tmp_path / "schema"], check=True)

    written = {path.name: path.read_bytes() for path in (tmp_path / "schema").iterdir()}

    assert written == {path.name: path.read_bytes() for path in COMMITTED.iterdir()}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FROZEN.read_bytes(), id="frozen example"),
        pytest.param(encode_record(make_record(None)), id="passed"),
    ],
)
def test_records_are_valid_by_the_schema(body: bytes) -> None:
    """What is stored fits the schema that others validate with, and one more field does not."""
    schema = json.loads((COMMITTED / schema_file_name(TraceRecord)).read_bytes())
    record = json.loads(body)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record | {"surprise": 1}, schema)

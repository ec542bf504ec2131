"""Hold a subject's output against its contract, in the subject's process, on the real object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from failtrace.capture.sanitiser import Marks, sanitise, sanitise_text
from failtrace.errors import SubjectError

MAX_VIOLATIONS = 50
MAX_RULE_MESSAGE = 1000


def check_contract(model: Any, output: Any, marks: Marks) -> list[dict[str, Any]]:
    """The violations, as fields of ContractViolation; none where the output fits.

    `model` is a pydantic model, a type pydantic can check, or a JSON Schema as a dict. The model's own settings decide
    how strict it is. Raises SubjectError where `model` is none of these.
    """
    found = _by_json_schema(model, output) if isinstance(model, dict) else _by_pydantic(model, output)
    return [
        {
            "location": sanitise_text(_path(location), marks, 512),
            "rule": rule,
            "message": sanitise_text(message, marks, MAX_RULE_MESSAGE),
            "value": sanitise(value, marks),
        }
        for (location, rule, message, value), _ in zip(found, range(MAX_VIOLATIONS), strict=False)
    ]


Violation = tuple[Sequence[str | int], str, str, Any]


def _by_pydantic(model: Any, output: Any) -> Iterator[Violation]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
    except (PydanticUserError, TypeError) as error:
        raise SubjectError(
            f"Cannot check the output against {model!r:.120}: pydantic makes no validator of it; "
            "give a pydantic model, a type or a JSON Schema."
        ) from error
    try:
        adapter.validate_python(_fields(output), by_name=True, by_alias=True)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            missing = item["type"] == "missing"
            yield item["loc"], item["type"], item["msg"], None if missing else item["input"]


def _fields(output: Any) -> Any:
    """A model instance as its fields: it may have been built without validation, or changed since."""
    return {**output.__dict__, **(output.model_extra or {})} if isinstance(output, BaseModel) else output


def _by_json_schema(schema: dict[str, Any], output: Any) -> Iterator[Violation]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SubjectError(
            f"Cannot check the output: its JSON Schema is wrong at {_path(list(error.path))} ({error.message}); "
            "mend it."
        ) from error
    plain = sanitise(_fields(output), Marks())
    for found in Draft202012Validator(schema).iter_errors(plain):
        yield list(found.absolute_path), str(found.validator), found.message, found.instance


def _path(location: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "$"

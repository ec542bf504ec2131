"""Hold a subject's output against its contract, in the subject's process, on the real object."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from failtrace.capture.foreign_values import mro_of, type_name
from failtrace.capture.markers import mark
from failtrace.capture.sanitiser import Marks, sanitise, sanitise_text
from failtrace.capture.secret_values import holds_secret, names_secret
from failtrace.capture.value_limits import MAX_DEPTH
from failtrace.errors import SubjectError

MAX_VIOLATIONS = 50
MAX_RULE_MESSAGE = 1000


def check_contract(model: Any, output: Any, marks: Marks) -> list[dict[str, Any]]:
    """The violations, as fields of ContractViolation; none where the output fits.

    `model` is a pydantic model, a type pydantic can check, or a JSON Schema as a dict. The model's own settings decide
    how strict it is. Raises SubjectError where `model` is none of these.
    """
    found = _by_json_schema(model, output) if isinstance(model, dict) else _by_pydantic(model, output)
    return [_told(violation, marks) for violation, _ in zip(found, range(MAX_VIOLATIONS), strict=False)]


Violation = tuple[Sequence[str | int], str, str, Any]


def _told(violation: Violation, marks: Marks) -> dict[str, Any]:
    location, rule, message, value = violation
    # The value stands here without the name above it, which may say that it is a secret; messages quote values.
    name = next((part for part in reversed(location) if isinstance(part, str)), "")
    secret = names_secret(name)
    if secret is not None and holds_secret(secret, value):
        marks.values_redacted += 1
        message = f"The secret there breaks {rule!r}"
        value = mark("redacted", rule=secret.rule, type=type_name(type(value)))
    return {
        "location": sanitise_text(_path(location), marks, 512),
        "rule": rule,
        "message": sanitise_text(message, marks, MAX_RULE_MESSAGE),
        "value": sanitise(value, marks),
    }


def _by_pydantic(model: Any, output: Any) -> Iterator[Violation]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
    except (PydanticUserError, TypeError) as error:
        raise SubjectError(
            f"Cannot check the output against {model!r:.120}: pydantic makes no validator of it; "
            "give a pydantic model, a type or a JSON Schema."
        ) from error
    plain = _Plain(_models(adapter.core_schema))
    try:
        adapter.validate_python(plain.of(output), by_name=True, by_alias=True)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if item["type"] in _WANTS_INSTANCE and plain.was_instance(item["input"]):
                continue
            missing = item["type"] == "missing"
            yield item["loc"], item["type"], item["msg"], None if missing else item["input"]


_WANTS_INSTANCE = ("model_type", "is_instance_of")
"""What pydantic says of plain fields where it takes nothing but an instance."""


def _models(schema: Any) -> set[type[BaseModel]]:
    """Every model class that a core schema speaks of."""
    found: set[type[BaseModel]] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            if node.get("type") == "model":
                found.add(node["cls"])
            waiting.extend(node.values())
        elif type(node) is list or type(node) is tuple:
            waiting.extend(node)
    return found


_ATOMS = frozenset(map(id, (str, int, float, bool, bytes, type(None))))


class _Plain:
    """A value with each model instance in it as its fields: pydantic takes instances as they are, and one may have
    been built without validation, or changed since."""

    def __init__(
        self,
        known: Collection[type[BaseModel]] = (),
        tuples_as: type[list[Any]] | type[tuple[Any, ...]] = tuple,
    ) -> None:
        self._known = known
        self._tuples_as = tuples_as
        self._made: dict[int, dict[str, Any]] = {}
        self._path: set[int] = set()
        self._anew: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """The value anew; what nests too deep, or in a circle, as it is."""
        kind = type(value)
        # Not `in` of the types themselves, which would ask a hostile one whether it is equal.
        if id(kind) in _ATOMS:
            return value
        is_container = kind is dict or kind is list or kind is tuple
        is_model = not is_container and any(base is BaseModel for base in mro_of(kind))
        if not (is_model or is_container) or id(value) in self._path or len(self._path) >= MAX_DEPTH:
            return value
        # What stands in many places is made once: ten lists of ten lists, thirty deep, would never end.
        if id(value) in self._anew:
            return self._anew[id(value)][0]
        self._path.add(id(value))
        try:
            made = self._fields(value) if is_model else self._container(value, kind)
        finally:
            self._path.discard(id(value))
        self._anew[id(value)] = made, value
        return made

    def _container(self, value: Any, kind: type) -> Any:
        if kind is dict:
            return {key: self.of(item) for key, item in value.items()}
        return (self._tuples_as if kind is tuple else list)(map(self.of, value))

    def was_instance(self, value: Any) -> bool:
        """Whether a value is the plain fields of an instance."""
        return id(value) in self._made

    def _fields(self, instance: BaseModel) -> Any:
        kind = type(instance)
        if isinstance(instance, RootModel):
            return self.of(instance.root)
        # A subclass may have more fields than the contract knows, which are none of its business.
        promised: type[BaseModel] = next((base for base in kind.__mro__ if base in self._known), kind)
        fields = {name: self.of(item) for name, item in instance.__dict__.items() if name in promised.model_fields}
        if promised is kind or promised.model_config.get("extra") == "allow":
            fields |= {name: self.of(item) for name, item in (instance.model_extra or {}).items()}
        self._made[id(fields)] = fields
        return fields


def _by_json_schema(schema: dict[str, Any], output: Any) -> Iterator[Violation]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SubjectError(
            f"Cannot check the output: its JSON Schema is wrong at {_path(list(error.path))} ({error.message}); "
            "mend it."
        ) from error
    # jsonschema knows lists; a tuple is the same array in JSON.
    plain = _Plain(tuples_as=list).of(output)
    for found in Draft202012Validator(schema).iter_errors(plain):
        yield list(found.absolute_path), str(found.validator), found.message, found.instance


def _path(location: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "$"

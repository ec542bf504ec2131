"""`@subject`: the decorator that registers a subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from failtrace.errors import SubjectError
from failtrace.subjects.registry import REGISTRY
from failtrace.subjects.subject import ATTRIBUTE, EvidenceSource, Subject, source_of

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def subject(function: Function, /) -> Function: ...


@overload
def subject(
    *,
    name: str | None = None,
    version: str | None = None,
    timeout: float | None = None,
    output_model: Any = None,
    evidence: EvidenceSource | None = None,
    memory_limit_bytes: int | None = None,
    cpu_limit_s: float | None = None,
    output_limit_bytes: int | None = None,
    step_limit: int | None = None,
    process_limit: int | None = None,
    example_inputs: Sequence[Any] = (),
) -> Callable[[Function], Function]: ...


def subject(function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """Register a callable as a subject and give it back unchanged.

    Works bare (`@subject`) and with options: the fields of Subject and Limits. Its name is the callable's unless given.
    Raises SubjectError for an option that cannot be used and for a name that another subject already has.
    """
    if function is None:
        return lambda decorated: subject(decorated, name=name, **options)  # type: ignore[call-overload]
    options["example_inputs"] = tuple(options.get("example_inputs", ()))
    source = source_of(function)
    made = Subject(name=name or source.partition(":")[2], function=function, source=source, **options)
    try:
        setattr(function, ATTRIBUTE, made)
    except AttributeError as error:
        raise SubjectError(
            f"Cannot register {source!r}: it takes no attributes; wrap it in a function and register that."
        ) from error
    REGISTRY.add(made)
    return function

"""From whatever names a subject to the Subject: a Subject, a registered name, `module:attribute`, or a callable."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from failtrace.errors import SubjectError
from failtrace.subjects.registry import REGISTRY
from failtrace.subjects.subject import Subject, subject_of


def resolve_subject(target: Subject | str | Callable[..., Any]) -> Subject:
    """The subject `target` stands for. Raises SubjectError, one sentence, where there is none."""
    if isinstance(target, Subject):
        return target
    if isinstance(target, str):
        return REGISTRY.get(target) or _load_named(target)
    if callable(target):
        return subject_of(target)
    raise SubjectError(
        f"Cannot run {type(target).__name__} {target!r:.80}: "
        "give a Subject, a registered name, 'module:attribute' or a callable."
    )


def _load_named(name: str) -> Subject:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise SubjectError(
            f"No subject is registered as {name!r}; `failtrace subjects` lists them, or name one as 'module:attribute'."
        )
    found = subject_of(load_attribute(name))
    return found if found.name != found.source else replace(found, name=name, source=name)


def load_attribute(source: str) -> Callable[..., Any]:
    """The callable behind `module:qualname`. Raises SubjectError where it cannot be imported or called."""
    module_name, _, path = source.partition(":")
    value: Any = _import(module_name, source)
    for part in path.split("."):
        try:
            value = getattr(value, part)
        except AttributeError as error:
            raise SubjectError(
                f"Cannot load the subject {source!r}: the module {module_name!r} has no {path!r}; check the name."
            ) from error
    if isinstance(value, Subject):
        return value.function
    if not callable(value):
        raise SubjectError(
            f"Cannot run {source!r}: it is a {type(value).__name__}, not a callable; "
            "name a function or a callable object."
        )
    return value  # type: ignore[no-any-return]


def _import(module: str, source: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        hint = "is it on sys.path?" if missing == module.partition(".")[0] or missing == module else "install it."
        raise SubjectError(f"Cannot load the subject {source!r}: no module named {missing!r}; {hint}") from error
    # A user's module may raise anything while it is imported, SystemExit included.
    except (Exception, SystemExit) as error:
        raise SubjectError(
            f"Cannot load the subject {source!r}: importing {module!r} raised {type(error).__name__}: {error}; "
            "mend the module."
        ) from error


def importable_source(subject: Subject) -> str | None:
    """`module:qualname` under which another process finds this very callable; None where there is none."""
    module_name, _, path = subject.source.partition(":")
    if module_name == "__main__" or "<" in path:
        return None
    value: Any = sys.modules.get(module_name)
    for part in path.split("."):
        value = getattr(value, part, None)
    if isinstance(value, Subject):
        value = value.function
    return subject.source if value is subject.function else None

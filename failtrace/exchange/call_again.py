"""How to make a watched call again, as Python: its input is how it was called, which no command can hand over."""

from keyword import iskeyword
from typing import Final

from failtrace.contracts import TraceRecord
from failtrace.exchange.markdown import fenced

MAX_CALL: Final = 700
"""Bytes of a call that carries its values; longer ones are read from the record."""
_MAX_NAME: Final = 200
_SCRIPTS: Final = ("__main__", "__mp_main__")
_KIND: Final = "Where it is async, await what it gives; where it is a generator, loop over it."
_METHOD: Final = "Of a method the first value is the object it was called on; leave out the class of a class method."


def call_again(record: TraceRecord) -> str:
    """The call as Markdown; where nothing can import the function, what to do instead."""
    any_id = record.failure_id or record.trace_id
    module, _, name = record.subject.source.partition(":")
    if not _is_importable(module, name):
        return (
            "Nothing can import this watched function by its source; call it where it is defined, with the `args` and "
            f"`kwargs` of the input of `failtrace show {any_id} --json`."
        )
    code = fenced(_code(record, any_id, module, name), "python")
    return f"In the project's folder:\n\n{code}\n\n{_KIND}" + (f" {_METHOD}" if "." in name else "")


def _is_importable(module: str, name: str) -> bool:
    """A script, what is defined inside a function, and a private method go by no name from outside."""
    outer, *inner = name.split(".")
    private = any(part.startswith("__") and not part.endswith("__") for part in inner)
    words = all(part.isidentifier() and not iskeyword(part) for part in [*module.split("."), outer, *inner])
    return words and not private and module not in _SCRIPTS and len(module) + len(name) <= _MAX_NAME


def _code(record: TraceRecord, any_id: str, module: str, name: str) -> str:
    imported = f"from {module} import {name.partition('.')[0]}"
    match record.input:
        case {"args": list() as args, "kwargs": dict() as kwargs}:
            # As `repr` writes it: what cannot be seen cannot be copied from a screen.
            whole = f"{imported}\n\n{name}(*{args!r}, **{kwargs!r})"
            if len(whole.encode()) <= MAX_CALL:
                return whole
    return (
        f"from failtrace import TraceStore\n{imported}\n\n"
        f"with TraceStore.open() as store:\n    given = store.get_trace({any_id!r}).input\n"
        f'{name}(*given["args"], **given["kwargs"])'
    )

"""How a subject and its input travel to a fresh process."""

from __future__ import annotations

import pickle
from typing import Any

import cloudpickle

from failtrace.errors import SubjectError
from failtrace.execution.protocol import MAX_BLOB
from failtrace.subjects.loading import importable_source, load_attribute
from failtrace.subjects.subject import Subject, subject_of


def pack(subject: Subject, value: Any) -> bytes:
    """Subject and input as bytes. Raises SubjectError where they cannot be sent.

    A registered subject that the process can import goes by its name alone. cloudpickle sends by value what lives in
    `__main__` or has no importable name, so that no process imports the caller's `__main__` again.
    """
    source = importable_source(subject)
    registered = source is not None and subject_of(subject.function) is subject
    what: tuple[str | Subject, Any] = (source if registered and source else subject, value)
    try:
        blob: bytes = cloudpickle.dumps(what)
    # Pickling runs the objects' own code (`__reduce__`), which may raise anything.
    except Exception as error:
        raise SubjectError(
            f"Cannot send {subject.name!r} and its input to a process of its own ({type(error).__name__}: {error}); "
            "give the subject an importable name and a plain input, or use isolation='inline'."
        ) from error
    if len(blob) > MAX_BLOB:
        raise SubjectError(
            f"Cannot send {subject.name!r} its input: it is {len(blob)} bytes pickled and the limit is {MAX_BLOB}; "
            "pass a path or use isolation='inline'."
        )
    return blob


def unpack(blob: bytes) -> tuple[Subject, Any]:
    """The subject, loaded in this process, and its input. Raises SubjectError where a module is missing."""
    try:
        what, value = pickle.loads(blob)  # noqa: S301  written by `pack` of the process that started this one
    # Unpickling runs the objects' own code too.
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise SubjectError(
            f"Cannot load the subject in its process: {type(error).__name__}: {error}; "
            "make sure that what it needs can be imported there."
        ) from error
    return (subject_of(load_attribute(what)), value) if isinstance(what, str) else (what, value)

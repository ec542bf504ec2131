"""A file that appears whole or not at all, for its owner alone."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from failtrace.errors import InputError


@contextmanager
def writing(target: Path) -> Iterator[IO[bytes]]:
    """What to write to, packed where the name ends in .gz; `-` is stdout. Raises InputError where that cannot be.

    A file is written beside its place first, so that what was there goes only when the new one is whole. A pipe or a
    terminal is written to as it is. A link is refused, for who may make one could choose the file that is replaced.
    """
    if str(target) == "-":
        yield from _stdout()
        return
    try:
        with _straight(target) if _is_stream(target) else _beside(target) as file:
            if target.suffix != ".gz":
                yield file
                return
            with gzip.open(file, "wb", compresslevel=6) as packed:
                yield packed  # type: ignore[misc]  # a GzipFile takes bytes as any file does
    except OSError as error:
        raise InputError(
            f"Cannot write {str(target)!r} ({error.strerror or error}); choose a place with room where you may write."
        ) from error


def _stdout() -> Iterator[IO[bytes]]:
    if sys.stdout is None:
        raise InputError("Cannot write to stdout, for it is closed; name a file.")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _is_stream(target: Path) -> bool:
    """Whether something stands there that is written to as it is. Raises InputError for what cannot be written."""
    if not target.name:
        raise InputError(f"Cannot write {str(target)!r}, for that names no file; name one.")
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return True
    if not stat.S_ISREG(mode):
        raise InputError(f"Cannot write {str(target)!r}, for it is neither a file nor a pipe; name another.")
    if target.is_symlink():
        raise InputError(f"Cannot write {str(target)!r}, for it is a link; name the file it leads to, or another.")
    return False


@contextmanager
def _straight(target: Path) -> Iterator[IO[bytes]]:
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_NOCTTY), "wb") as file:
        yield file


@contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    # A new file under a name that nobody can foresee, mode 600: records may hold what is nobody else's business.
    handle, name = tempfile.mkstemp(prefix=".failtrace-", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise

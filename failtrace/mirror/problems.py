"""SQLite's errors as sentences: what was tried, on which file, what to do next."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound, SQLAlchemyError

from failtrace.errors import DamagedMirror, StoreError

_PRIMARY = 0xFF
"""SQLite's extended result codes carry the primary code in their low byte."""

_NOT_A_DATABASE = (
    "The mirror {path!r} is not a SQLite database; "
    "run `failtrace recover --mirror` to set it aside, or point FAILTRACE_HOME at another folder."
)
_DAMAGED = (
    "The mirror {path!r} is damaged; end what uses it and run "
    "`failtrace recover --mirror`, which sets it aside and takes over what can be read."
)
_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk of the mirror {path!r} is full; "
    "free some space and repeat: nothing was half stored.",
    sqlite3.SQLITE_BUSY: "The mirror {path!r} was kept locked by another process for over {wait_s:g} s; "
    "end that process or repeat when it is done.",
    sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "The mirror {path!r} cannot be opened or made there; "
    "make its folder writable or point FAILTRACE_HOME at another folder.",
    sqlite3.SQLITE_READONLY: "The mirror {path!r} cannot be written; make the file and its folder "
    "writable, and room on its disk, or point FAILTRACE_HOME at another folder.",
    sqlite3.SQLITE_IOERR: "Reading or writing the mirror {path!r} failed in the operating system; "
    "see that its disk is sound and has space, then repeat.",
}


_DAMAGE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_SIGNS_OF_DAMAGE = ("Could not decode to UTF-8", "no such table", "no such column", "unsupported file format")
"""How SQLite and its driver say that a text or the list of tables was damaged; SQLAlchemy, that a table of one row."""


def store_error(error: SQLAlchemyError | sqlite3.Error, path: Path, wait_s: float) -> StoreError:
    """The StoreError for what SQLite or SQLAlchemy said about the mirror at `path`."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", None)
    if code is not None and (sentence := _SENTENCES.get(code & _PRIMARY)):
        kind = DamagedMirror if code & _PRIMARY in _DAMAGE else StoreError
        return kind(sentence.format(path=str(path), wait_s=wait_s))
    said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
    if said.startswith(_SIGNS_OF_DAMAGE) or isinstance(error, (NoResultFound, MultipleResultsFound)):
        return damaged(path)
    return StoreError(f"The mirror {str(path)!r} could not be used ({said}); run `failtrace doctor` to look into it.")


def damaged(path: Path) -> DamagedMirror:
    """The error for a file that is damaged in a way that SQLite does not see."""
    return DamagedMirror(_DAMAGED.format(path=str(path)))


def no_row_of_ours(what: str) -> sqlite3.DatabaseError:
    """For a value that no failtrace writes, found in a transaction, which makes a DamagedMirror of it."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def no_file(path: Path, kind: str) -> StoreError:
    """The StoreError for something else than a file at the mirror's place."""
    return StoreError(
        f"The mirror {str(path)!r} cannot be used, for it is {kind}; move it away, or point FAILTRACE_HOME at another "
        "folder."
    )


def not_a_database(path: Path) -> DamagedMirror:
    """The error for a file that holds something else."""
    return DamagedMirror(_NOT_A_DATABASE.format(path=str(path)))


def vanished(path: Path) -> StoreError:
    """The StoreError for a file that was removed or replaced while it was open."""
    return StoreError(
        f"The mirror {str(path)!r} was removed or replaced while it was open; "
        "restart this process to go on with the file that is there now."
    )

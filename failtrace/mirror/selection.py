"""Lists of executions, newest first, as SQL that reads no more rows than it shows.

A filter is cut into branches. Each branch fixes the leading columns of one index, whose last column is the time, so
SQLite reads a branch in the list's order and merges the branches as it goes. (With `IN` instead of branches, it
would read every row that matches, and sort them all.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, tuple_, union_all

from failtrace.mirror.statement import Statement, compiled, numbered
from failtrace.mirror.tables import execution, failure_text
from failtrace.mirror.views import Sort

COLUMNS = tuple(
    execution.c[name]
    for name in (
        "id",
        "trace_id",
        "failure_id",
        "run_id",
        "subject",
        "outcome",
        "failure_type",
        "message",
        "fingerprint",
        "ended_at",
        "duration_ms",
        "input_key",
    )
)

MATCHES: ColumnElement[bool] = literal_column("failure_text").op("MATCH")(bindparam("match"))
"""The condition of full-text search, on the parameter `match`."""

_BRANCHES_MOST = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """Which executions: every field narrows, None and empty do not, save that no other `failure_types` are shown."""

    failure_types: tuple[str, ...]
    all_failures: bool = False
    """Whether `failure_types` are all there are of failures, so that what holds failures alone need not ask."""
    subjects: tuple[str, ...] = ()
    run_id: str | None = None
    fingerprint: str | None = None
    match: str | None = None
    """An FTS5 expression."""
    since: int | None = None
    until: int | None = None
    sort: Sort = "newest"
    few: bool = True
    """Whether so few are selected that sorting them costs less than reading all failures in order of duration."""

    @property
    def key(self) -> str:
        """The column that the list is sorted by, before the id."""
        return "ended_at" if self.sort in ("newest", "oldest") else "duration_ms"


@dataclass(frozen=True, slots=True)
class _Shape:
    """All of a selection that changes the SQL, its values left out; compiled SQL is kept by it."""

    keys: tuple[str, ...]
    """Columns that every branch fixes."""
    branches: int
    within: tuple[tuple[str, int], ...]
    """Columns that are one of so many values."""
    bounds: tuple[str, ...]
    """Other parameters in use."""
    key: str
    descending: bool
    walked: bool
    """Whether the index by duration is read in order, and what is not wanted is left out."""


def page_statement(
    selection: Selection, after: tuple[float, int] | None, limit: int
) -> tuple[Statement, dict[str, Any]]:
    """The statement for the rows of one page, in order, and its parameters."""
    shape, values = _plan(selection, after)
    return _page(shape), values | {"limit": limit}


def count_statement(selection: Selection) -> tuple[Statement, dict[str, Any]]:
    """The statement for how many rows a selection holds, and its parameters."""
    shape, values = _plan(selection, None)
    return _count(shape), values


def _plan(selection: Selection, after: tuple[float, int] | None) -> tuple[_Shape, dict[str, Any]]:
    keys, branches = _branches(selection)
    choices = {"failure_type": selection.failure_types, "subject": selection.subjects}
    if "failure_type" in keys or (selection.all_failures and (selection.match or selection.fingerprint)):
        del choices["failure_type"]
    if "subject" in keys or not selection.subjects:
        del choices["subject"]
    singles = {
        "match": selection.match,
        "run_id": None if "run_id" in keys else selection.run_id,
        "fingerprint": None if "fingerprint" in keys else selection.fingerprint,
        "since": selection.since,
        "until": selection.until,
        "after_key": after[0] if after else None,
        "after_id": after[1] if after else None,
    }
    values: dict[str, Any] = {name: value for name, value in singles.items() if value is not None}
    bounds = tuple(values)
    for number, branch in enumerate(branches):
        values |= {f"{key}_of_{number}": value for key, value in zip(keys, branch, strict=True)}
    for name, allowed in choices.items():
        values |= zip(numbered(name, len(allowed)), allowed, strict=True)
    within = tuple((name, len(allowed)) for name, allowed in choices.items())
    descending = selection.sort in ("newest", "longest")
    shape = _Shape(keys, len(branches), within, bounds, selection.key, descending, _is_walked(selection))
    return shape, values


def _is_walked(selection: Selection) -> bool:
    return selection.key == "duration_ms" and not selection.few and selection.match is None


def _branches(selection: Selection) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Which columns are fixed, and their values, a tuple for each branch."""
    types, subjects = selection.failure_types, selection.subjects
    if _is_walked(selection):
        return ("failure_type",), [(kind,) for kind in types]
    if selection.match is not None:
        return (), [()]
    if selection.fingerprint is not None:
        return ("fingerprint",), [(selection.fingerprint,)]
    if selection.run_id is not None:
        return ("run_id", "failure_type"), [(selection.run_id, kind) for kind in types]
    if subjects and len(subjects) * len(types) <= _BRANCHES_MOST:
        return ("subject", "failure_type"), list(product(subjects, types))
    return ("failure_type",), [(kind,) for kind in types]


@lru_cache(maxsize=512)
def _page(shape: _Shape) -> Statement:
    branches = [_narrowed(select(*COLUMNS), shape, number) for number in range(shape.branches)]
    listed = branches[0] if len(branches) == 1 else union_all(*branches)
    order: list[ColumnElement[Any]] = [literal_column(name) for name in (shape.key, "id")]
    ordered = listed.order_by(*[column.desc() if shape.descending else column.asc() for column in order])
    return compiled(ordered.limit(bindparam("limit")))


@lru_cache(maxsize=512)
def _count(shape: _Shape) -> Statement:
    if shape.bounds == ("match",) and not shape.within:
        return compiled(select(func.count()).select_from(failure_text).where(MATCHES))
    counts = [
        _narrowed(select(func.count()).select_from(execution), shape, number).scalar_subquery()
        for number in range(shape.branches)
    ]
    return compiled(select(sum(counts[1:], start=counts[0])))


def _narrowed(statement: Select[Any], shape: _Shape, branch: int) -> Select[Any]:
    columns = {column.name: _unindexed(column) if shape.walked else column for column in execution.c}
    if shape.walked:
        columns |= {name: execution.c[name] for name in ("failure_type", "duration_ms", "id")}
    found: list[ColumnElement[bool]] = [columns[key] == bindparam(f"{key}_of_{branch}") for key in shape.keys]
    found += [columns[name].in_(map(bindparam, numbered(name, choices))) for name, choices in shape.within]
    found += [columns[name] == bindparam(name) for name in ("run_id", "fingerprint") if name in shape.bounds]
    if "since" in shape.bounds:
        found.append(columns["ended_at"] >= bindparam("since"))
    if "until" in shape.bounds:
        found.append(columns["ended_at"] < bindparam("until"))
    if "after_id" in shape.bounds:
        cursor = tuple_(bindparam("after_key"), bindparam("after_id"))
        place = tuple_(columns[shape.key], columns["id"])
        found.append(place < cursor if shape.descending else place > cursor)
    if shape.walked:
        found.append(execution.c.failure_id.is_not(None))
    if "match" in shape.bounds:
        statement = statement.join(failure_text, failure_text.c.rowid == execution.c.id)
        found.append(MATCHES)
    return statement.where(*found)


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column by which SQLite must not choose an index."""
    return literal_column(f"+execution.{column.key}", column.type)

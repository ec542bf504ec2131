"""Lists of executions, newest first, as SQL that reads no more rows than it shows.

A filter is cut into branches. Each branch fixes the leading columns of one index, whose last column is the
time, so the newest rows of a branch stand side by side in it; a page merges the heads of the branches. (With
`IN` and `ORDER BY` instead, SQLite would read every row that matches and sort them.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, tuple_, union_all
from sqlalchemy.dialects import sqlite

from failtrace.mirror.tables import execution, failure_text

_BRANCHES_MOST = 64
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
    )
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which executions: every field narrows, None and empty do not; `failure_types` holds at least one."""

    failure_types: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    run_id: str | None = None
    fingerprint: str | None = None
    match: str | None = None
    """An FTS5 expression."""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL compiled once, and its parameters' names in the order of the question marks."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    """Parameters that SQLAlchemy set itself, e.g. the `OFFSET 0` that it writes with every LIMIT."""

    def arguments(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters as the driver takes them."""
        everything = {**self.constants, **values}
        return tuple([everything[name] for name in self.names])


@dataclass(frozen=True, slots=True)
class _Shape:
    """All of a selection that changes the SQL, its values left out; compiled SQL is kept by it."""

    keys: tuple[str, ...]
    branches: int
    within: tuple[tuple[str, int], ...]
    bounds: tuple[str, ...]


def page_statement(
    selection: Selection, after: tuple[int, int] | None, limit: int
) -> tuple[Statement, dict[str, Any]]:
    """The statement for the rows of one page, in order, and its parameters."""
    shape, values = _plan(selection, after)
    return _page(shape), values | {"limit": limit}


def count_statement(selection: Selection) -> tuple[Statement, dict[str, Any]]:
    """The statement for how many rows a selection holds, and its parameters."""
    shape, values = _plan(selection, None)
    return _count(shape), values


def _plan(selection: Selection, after: tuple[int, int] | None) -> tuple[_Shape, dict[str, Any]]:
    fixed, keys = _branches(selection)
    within = {
        name: values
        for name, values in (("failure_type", selection.failure_types), ("subject", selection.subjects))
        if values and name not in keys
    }
    singles = {
        "run_id": None if "run_id" in keys else selection.run_id,
        "fingerprint": None if "fingerprint" in keys else selection.fingerprint,
        "match": selection.match,
        "since": selection.since,
        "until": selection.until,
        "after_moment": after[0] if after else None,
        "after_id": after[1] if after else None,
    }
    bounds = {name: value for name, value in singles.items() if value is not None}
    values: dict[str, Any] = dict(bounds)
    for number, branch in enumerate(fixed):
        values |= {f"{key}_of_{number}": value for key, value in zip(keys, branch, strict=True)}
    for name, choices in within.items():
        values |= {f"{name}_{number}": choice for number, choice in enumerate(choices)}
    shape = _Shape(keys, len(fixed), tuple((n, len(v)) for n, v in within.items()), tuple(bounds))
    return shape, values


def _branches(selection: Selection) -> tuple[Sequence[tuple[str, ...]], tuple[str, ...]]:
    """Values of the fixed columns, one tuple a branch, and which columns those are."""
    types, subjects = selection.failure_types, selection.subjects
    if selection.match is not None:
        return [()], ()
    if selection.fingerprint is not None:
        return [(selection.fingerprint,)], ("fingerprint",)
    if selection.run_id is not None:
        return [(selection.run_id, type_) for type_ in types], ("run_id", "failure_type")
    if subjects and len(subjects) * len(types) <= _BRANCHES_MOST:
        return list(product(subjects, types)), ("subject", "failure_type")
    return [(type_,) for type_ in types], ("failure_type",)


@lru_cache(maxsize=512)
def _page(shape: _Shape) -> Statement:
    heads = [
        select(execution.c.id)
        .where(*_conditions(shape, branch))
        .order_by(execution.c.ended_at.desc(), execution.c.id.desc())
        .limit(bindparam("limit"))
        for branch in range(shape.branches)
    ]
    wanted = (
        heads[0].subquery()
        if len(heads) == 1
        else union_all(*(select(h.subquery()) for h in heads)).subquery()
    )
    return _compiled(
        select(*COLUMNS)
        .where(execution.c.id.in_(select(wanted.c.id)))
        .order_by(execution.c.ended_at.desc(), execution.c.id.desc())
        .limit(bindparam("limit"))
    )


@lru_cache(maxsize=512)
def _count(shape: _Shape) -> Statement:
    counts = [
        select(func.count()).select_from(execution).where(*_conditions(shape, branch)).scalar_subquery()
        for branch in range(shape.branches)
    ]
    return _compiled(select(sum(counts[1:], start=counts[0])))


def _conditions(shape: _Shape, branch: int) -> list[ColumnElement[bool]]:
    columns = execution.c
    found = [columns[key] == bindparam(f"{key}_of_{branch}") for key in shape.keys]
    for name, choices in shape.within:
        found.append(columns[name].in_([bindparam(f"{name}_{number}") for number in range(choices)]))
    found += [columns[n] == bindparam(n) for n in ("run_id", "fingerprint") if n in shape.bounds]
    if "since" in shape.bounds:
        found.append(columns.ended_at >= bindparam("since"))
    if "until" in shape.bounds:
        found.append(columns.ended_at < bindparam("until"))
    if "after_id" in shape.bounds:
        found.append(
            tuple_(columns.ended_at, columns.id) < tuple_(bindparam("after_moment"), bindparam("after_id"))
        )
    if "match" in shape.bounds:
        matching = select(failure_text.c.rowid).where(
            literal_column("failure_text").op("MATCH")(bindparam("match"))
        )
        found.append(columns.id.in_(matching))
    return found


def _compiled(statement: Select[Any]) -> Statement:
    compiled = statement.compile(dialect=sqlite.dialect())
    return Statement(str(compiled), tuple(compiled.positiontup or ()), compiled.params)

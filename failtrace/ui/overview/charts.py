"""The overview's charts: numbers the mirror has added up, each mark a link to the failures that it counts.

Components of our own and no chart library: their marks are links (a new tab, a keyboard), they name each type by the
same icon and colour as the lists, and nothing has to be loaded for them.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from failtrace.contracts import FailureType
from failtrace.mirror.views import Overview, SubjectDurations
from failtrace.ui.components import component
from failtrace.ui.kinds import KINDS
from failtrace.ui.overview.buckets import Bucket, buckets
from failtrace.ui.overview.figures import P50, P95
from failtrace.ui.overview.scope import Scope
from failtrace.ui.wording import percent, plural, roughly

_Json = dict[str, Any]

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_NAMED: Final = {_HOUR: "by hour", _DAY: "by day", 7 * _DAY: "by week"}

_columns = component(
    "columns",
    """<div class="chart">
      <div class="plot" role="group">
        <div class="grid"></div>
        <div class="marks"></div>
        <div class="tip" hidden></div>
      </div>
      <details><summary>The numbers as a table</summary><div class="scroll"></div></details>
    </div>""",
)
_bars = component("bars", '<div class="box"><div class="bars" role="list"></div></div>')
_matrix = component("matrix", '<div class="scroll"></div>')


def over_time(overview: Overview, scope: Scope, *, key: str) -> None:
    """Failures stacked by type, a column for each bucket, and the same numbers as a table."""
    found = buckets(overview, scope.since, scope.until)
    _columns(key=key, data={"columns": [_column(bucket, scope, _long(found)) for bucket in found]})


def by_type(overview: Overview, scope: Scope, *, key: str) -> None:
    """A bar for each failure type, most first."""
    most = max(overview.by_type.values(), default=0) or 1
    ranked = sorted(KINDS, key=lambda failure_type: -overview.by_type.get(failure_type, 0))
    rows = [_type_row(item, overview.by_type.get(item, 0), overview.failures, most, scope) for item in ranked]
    _bars(key=key, data={"head": [], "rows": rows})


def by_subject(overview: Overview, scope: Scope, most: int, *, key: str) -> None:
    """A heat map, subject by failure type, of the `most` subjects that fail most, worst first."""
    totals = _failures_by_subject(overview)
    worst = sorted(totals, key=lambda subject: (-totals[subject], subject))[:most]
    cells = {(subject, item): number for subject, item, number in overview.by_subject if item and subject in totals}
    highest = max(cells.values(), default=1)
    _matrix(key=key, data={"rows": [_matrix_row(subject, cells, totals, highest, scope) for subject in worst]})


def slowest(overview: Overview, scope: Scope, *, key: str) -> None:
    """A bar for each of the slowest subjects, to its median and on to its 95th percentile."""
    failures = _failures_by_subject(overview)
    longest = max([row.durations.p95_ms for row in overview.slowest], default=0.0) or 1.0
    rows = [_slow_row(row, failures[row.subject], longest, scope) for row in overview.slowest]
    head = [["Subject", ""], ["p50", P50], ["p95", P95], ["Executions", ""], ["Failures", ""]]
    _bars(key=key, data={"head": head, "rows": rows})


def failing_subjects(overview: Overview) -> int:
    """How many subjects have a failure."""
    return len(_failures_by_subject(overview))


def time_heading(overview: Overview, scope: Scope) -> str:
    """What the chart over time is called, by how much time a column stands for; ours."""
    found = buckets(overview, scope.since, scope.until)
    return f"Failures {_NAMED.get(found[0].size, 'over time') if found else 'over time'}"


def _failures_by_subject(overview: Overview) -> Counter[str]:
    totals: Counter[str] = Counter()
    for subject, failure_type, number in overview.by_subject:
        if failure_type is not None and number:
            totals[subject] += number
    return totals


def _column(bucket: Bucket, scope: Scope, long: bool) -> _Json:
    part = scope.within(bucket.start, bucket.end)
    return {
        "id": bucket.start.isoformat(),
        "label": _axis_label(bucket, long),
        "title": _title(bucket),
        "executions": bucket.executions,
        "failures": bucket.failed,
        "href": part.link(),
        "parts": [
            {"kind": kind.key, "count": bucket.failures[item], "href": part.link(item)}
            for item, kind in KINDS.items()
            if item in bucket.failures
        ],
    }


def _type_row(item: FailureType, count: int, total: int, most: int, scope: Scope) -> _Json:
    return {
        "id": item.value,
        "kind": KINDS[item].key,
        "href": scope.link(item) if count else "",
        "share": count / most,
        "cells": [f"{count:,}", percent(count / total) if total else ""],
        "says": f"{KINDS[item].label}: {plural(count, 'failure')}",
    }


def _matrix_row(
    subject: str, cells: dict[tuple[str, FailureType], int], totals: Counter[str], highest: int, scope: Scope
) -> _Json:
    counts = {item: cells.get((subject, item), 0) for item in KINDS}
    return {
        "name": subject,
        "total": f"{totals[subject]:,}",
        "href": scope.link(subject=subject),
        "cells": [
            {
                "kind": KINDS[item].key,
                "count": f"{count:,}",
                "share": (count / highest) ** 0.5,
                "href": scope.link(item, subject) if count else "",
            }
            for item, count in counts.items()
        ],
    }


def _slow_row(row: SubjectDurations, failures: int, longest: float, scope: Scope) -> _Json:
    took = row.durations
    p50, p95 = roughly(took.p50_ms, exact=took.exact), roughly(took.p95_ms, exact=took.exact)
    return {
        "id": row.subject,
        "name": row.subject,
        "href": scope.link(subject=row.subject) if failures else "",
        "share": took.p95_ms / longest,
        "inner": took.p50_ms / longest,
        "cells": [p50, p95, f"{row.executions:,}", f"{failures:,}" if failures else "–"],
        "says": f"{row.subject}: p50 {p50}, p95 {p95}, {plural(row.executions, 'execution')}, "
        + plural(failures, "failure"),
    }


def _long(found: tuple[Bucket, ...]) -> bool:
    """Whether the columns reach so far that an hour must say its day, and a day its year."""
    return bool(found) and found[-1].end - found[0].start > (26 * _HOUR if found[0].size == _HOUR else 400 * _DAY)


def _axis_label(bucket: Bucket, long: bool) -> str:
    if bucket.size == _HOUR:
        return f"{bucket.start:%a %H:%M}" if long else f"{bucket.start:%H:%M}"
    return f"{bucket.start:%b} {bucket.start.year}" if long else _day(bucket.start)


def _title(bucket: Bucket) -> str:
    first = _date(bucket.start)
    if bucket.size == _HOUR:
        return f"{first}, {bucket.start:%H:%M}–{bucket.end:%H:%M}"
    if bucket.size == _DAY:
        return first
    return f"{first} to {_date(bucket.end - _DAY)}"


def _date(moment: datetime) -> str:
    return f"{moment:%a} {_day(moment)} {moment.year}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"

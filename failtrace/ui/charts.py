"""The overview's charts, from numbers the mirror has added up. Colours come from the theme."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import altair as alt
import pandas as pd

from failtrace.mirror.views import Overview
from failtrace.ui.kinds import KINDS, kind_of

_Unit = Literal["utcyearmonthdatehours", "utcyearmonthdate"]
_TITLES: Final = [kind.title for kind in KINDS.values()]
_NUMBER: Final = alt.Text("failures:Q", format=",")
_ROW: Final = 32
_SHORT: Final = "width < 400 ? split(datum.label, ' ')[0] : datum.label"
"""Where the labels would not stand side by side, their glyphs do."""
_COLOUR: Final = alt.Color("kind:N", scale=alt.Scale(domain=_TITLES), legend=None)


def by_type(overview: Overview, ink: str) -> alt.LayerChart:
    """Horizontal bars, one for each failure type, most first, with their numbers in the colour `ink`."""
    counts = {kind.title: overview.by_type.get(item, 0) for item, kind in KINDS.items()}
    table = pd.DataFrame({"kind": counts.keys(), "failures": counts.values()})
    order = sorted(counts, key=lambda title: -counts[title])
    base = alt.Chart(table).encode(
        y=alt.Y("kind:N", sort=order, title=None, axis=_bare()),
        x=alt.X("failures:Q", title=None, axis=None),
        tooltip=[_tip("kind:N", "Type"), _tip("failures:Q", "Failures", ",")],
    )
    bars = base.mark_bar(size=18, cornerRadiusEnd=3).encode(color=_COLOUR)
    numbers = base.mark_text(align="left", dx=6, fontWeight=600, color=ink).encode(
        text=alt.Text("failures:Q", format=",")
    )
    chart: alt.LayerChart = (bars + numbers).properties(height=len(KINDS) * _ROW)
    return chart


def over_time(overview: Overview, since: datetime | None, until: datetime) -> alt.Chart:
    """Failures stacked by type, one bar for each hour or day (UTC)."""
    rows = [
        {
            "start": start,
            "kind": kind_of(item).title,
            "order": _TITLES.index(kind_of(item).title),
            "failures": count,
        }
        for start, item, count in overview.over_time
        if item is not None
    ]
    unit: _Unit = "utcyearmonthdatehours" if overview.bucket == "hour" else "utcyearmonthdate"
    scale = alt.Scale(type="utc", domain=_whole_buckets(overview.bucket, since, until) if since else alt.Undefined)
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows, columns=["start", "kind", "order", "failures"]))
        .mark_bar()
        .encode(
            x=alt.X(
                "start:T",
                timeUnit=unit,
                title=None,
                scale=scale,
                axis=alt.Axis(
                    grid=False, labelOverlap=True, format="%H:%M" if unit == "utcyearmonthdatehours" else "%d %b"
                ),
            ),
            y=alt.Y("sum(failures):Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=4, format="~s")),
            color=_COLOUR,
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("start:T", timeUnit=unit, title="From (UTC)"),
                _tip("kind:N", "Type"),
                _tip("sum(failures):Q", "Failures", ","),
            ],
        )
        .properties(height=len(KINDS) * _ROW)
    )
    return chart


def by_subject(overview: Overview, most: int, ink: str) -> alt.LayerChart:
    """A heat map, subject by failure type, of the `most` subjects that fail most, worst first."""
    totals = _failures_by_subject(overview)
    worst = [subject for subject, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:most]]
    rows = [
        (subject, kind_of(item).title, count)
        for subject, item, count in overview.by_subject
        if item is not None and count and subject in worst
    ]
    base = alt.Chart(pd.DataFrame(rows, columns=["subject", "kind", "failures"])).encode(
        x=alt.X(
            "kind:N",
            title=None,
            axis=_bare(orient="top", labelAngle=0, labelOverlap=False, labelExpr=_SHORT),
            scale=alt.Scale(domain=_TITLES, paddingInner=0.02),
        ),
        y=alt.Y("subject:N", title=None, axis=_bare(), scale=alt.Scale(domain=worst, paddingInner=0.12)),
        tooltip=[_tip("subject:N", "Subject"), _tip("kind:N", "Type"), _tip("failures:Q", "Failures", ",")],
    )
    shade = alt.Opacity("failures:Q", scale=alt.Scale(type="sqrt", range=[0.16, 0.6]), legend=None)
    cells = base.mark_rect(cornerRadius=3).encode(color=_COLOUR, opacity=shade)
    numbers = base.mark_text(fontWeight=600, color=ink).encode(text=_NUMBER)
    chart: alt.LayerChart = (cells + numbers).properties(height=len(worst) * _ROW + _ROW)
    return chart


def failing_subjects(overview: Overview) -> int:
    """How many subjects have a failure."""
    return len(_failures_by_subject(overview))


def in_words(overview: Overview) -> str:
    """The numbers by type, for who cannot see the chart."""
    parts = [f"{kind.label} {overview.by_type.get(item, 0):,}" for item, kind in KINDS.items()]
    return f"Failures by type: {', '.join(parts)}."


def _failures_by_subject(overview: Overview) -> Counter[str]:
    totals: Counter[str] = Counter()
    for subject, item, count in overview.by_subject:
        if item is not None and count:
            totals[subject] += count
    return totals


def _whole_buckets(bucket: str, since: datetime, until: datetime) -> list[alt.DateTime]:
    """From the start of the first bucket to the end of the last: no bar stands over the edge."""
    step = timedelta(hours=1) if bucket == "hour" else timedelta(days=1)
    starts = [moment.replace(minute=0, second=0, microsecond=0) for moment in (since, until + step)]
    return [_stamp(start if bucket == "hour" else start.replace(hour=0)) for start in starts]


def _stamp(moment: datetime) -> alt.DateTime:
    return alt.DateTime(
        year=moment.year,
        month=moment.month,
        date=moment.day,
        hours=moment.hour,
        minutes=moment.minute,
        utc=True,
    )


def _bare(**kwargs: Any) -> alt.Axis:
    return alt.Axis(domain=False, ticks=False, labelLimit=220, labelPadding=8, **kwargs)


def _tip(field: str, title: str, format_: str | None = None) -> alt.Tooltip:
    return alt.Tooltip(field, title=title, format=format_ or alt.Undefined)

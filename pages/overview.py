"""Overview: how much ran, how much failed, and how."""

from failtrace.ui import bootstrap
from failtrace.ui.heading import heading_with_filters
from failtrace.ui.notices import ask
from failtrace.ui.overview_view import say_nothing_ran, show_charts, show_figures, show_newest
from failtrace.ui.refresh import follow
from failtrace.ui.scope import count
from failtrace.ui.url_state import TimeRange

bootstrap.page("overview")
mirror = bootstrap.services().store.mirror
follow(mirror)

known = ask(mirror.subjects)
chosen, subjects = heading_with_filters("Overview", TimeRange.WEEK, known)
overview, scope = ask(count, mirror, chosen, subjects)

if overview.executions:
    show_figures(overview)
    show_charts(overview, scope)
else:
    say_nothing_ran(ever=bool(known), narrowed=bool(subjects))
if overview.failures:
    show_newest(mirror, scope)

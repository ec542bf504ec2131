"""Overview: how much ran, how much failed, and how."""

from failtrace.ui import bootstrap
from failtrace.ui.heading import heading_with_filters
from failtrace.ui.notices import ask
from failtrace.ui.overview_view import show_numbers
from failtrace.ui.url_state import TimeRange

bootstrap.page("overview")
mirror = bootstrap.services().store.mirror

known = ask(mirror.subjects)
chosen, subjects = heading_with_filters("Overview", TimeRange.WEEK, known)
show_numbers(mirror, chosen, subjects, known)

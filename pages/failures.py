"""Failures: find one among many."""

from failtrace.mirror.views import FailureFilter
from failtrace.ui import bootstrap
from failtrace.ui.filters import failure_filters, heading_with_range
from failtrace.ui.lists import PAGE_SIZE, Trail, failure_list
from failtrace.ui.notices import ask, empty
from failtrace.ui.url_state import TimeRange, now

bootstrap.page("failures")
mirror = bootstrap.services().store.mirror

span = heading_with_range("Failures", TimeRange.ALL)
chosen = failure_filters(ask(mirror.subjects), span)
trail = Trail("failures", chosen)
found = ask(mirror.failures, chosen.filter(now()), limit=PAGE_SIZE, after=trail.after)

if found.rows:
    failure_list(found.rows, key="failures")
    trail.controls(found)
elif chosen.params:
    total = ask(mirror.failures, FailureFilter(), limit=1).total
    empty("No failure matches", f"0 of {total:,} failures. Take a filter away, or look further back.")
else:
    empty("No failures yet", "Run subjects; whatever fails is listed here.")
    bootstrap.link_to("run", "Run subjects")

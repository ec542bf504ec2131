"""Whether a record tells of a call that `watch` saw, and not of a run of failtrace's own."""

from failtrace.capture.markers import KEY
from failtrace.contracts import TraceRecord


def is_watched(record: TraceRecord) -> bool:
    """Told by its input, `{"args": …, "kwargs": …}`, of which the end may have been cut."""
    given = record.input
    return (
        record.environment.isolation == "inline"
        and record.run_id is None
        and isinstance(given, dict)
        and {"args"} < given.keys() <= {"args", "kwargs", KEY}
    )

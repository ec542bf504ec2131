"""A mirror full of executions, made through its public write path, so that its tables are those of the product.

Records come as copies of a few outlines with ids, times and texts of their own; each is encoded by failtrace's codec
and written by `Mirror.write`, many in a transaction. Nothing else touches the file.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path

from benchmarks import story
from benchmarks.places import CACHE
from failtrace.codec import decode_record, encode_record
from failtrace.contracts import FailureType, TraceRecord
from failtrace.mirror import migrations
from failtrace.mirror.mirror import Mirror

END = datetime(2026, 3, 31, tzinfo=UTC)
SPAN = timedelta(days=30)
EXECUTIONS_A_RUN = 1000
FINGERPRINTS = 40
_FAILURE_TYPES = (*FailureType,)


class Population:
    """`size` executions in the order of ending, spread evenly over 30 days; a share of them fails. Always the same."""

    def __init__(self, size: int, failing: float = 0.1, end: datetime = END) -> None:
        self.size = size
        self._start = end - SPAN
        self._failing = failing
        self._gap = SPAN / size

    def records(self) -> Iterator[TraceRecord]:
        """Each execution once."""
        chance = random.Random(self.size)
        for number in range(self.size):
            failed = chance.random() < self._failing
            kind = chance.choices(_FAILURE_TYPES, weights=(30, 45, 15, 10))[0] if failed else None
            yield self._record(number, chance.choice(story.SUBJECTS), kind, chance)

    def fill(self, mirror: Mirror) -> None:
        """Write all of it, run by run."""
        records = self.records()
        for number in range(-(-self.size // EXECUTIONS_A_RUN)):
            executions = list(islice(records, EXECUTIONS_A_RUN))
            first, last = executions[0], executions[-1]
            run_id = str(first.run_id)
            mirror.start_run(
                run_id, subjects=story.SUBJECTS, planned=len(executions), pid=number + 2, at=first.started_at
            )
            mirror.write([(record, encode_record(record)) for record in executions], at=last.ended_at)
            mirror.finish_run(run_id, state="finished", not_run=0, bad_lines=0, at=last.ended_at)

    def _record(self, number: int, subject: str, kind: FailureType | None, chance: random.Random) -> TraceRecord:
        ended_at = self._start + self._gap * (number + 1)
        began = ended_at - story.DURATION
        outline = self._outlines[subject, kind]
        trace_id, run_id = f"{chance.getrandbits(128):032x}", f"run-{number // EXECUTIONS_A_RUN:06d}"
        order, customer = f"W-{number:07d}", chance.randrange(10_000)
        failure = outline.failure
        if failure is not None:
            failure = failure.model_copy(
                update={
                    "failure_id": _uuid7(ended_at, chance),
                    "trace_id": trace_id,
                    "run_id": run_id,
                    "message": f"OrderNotFound: the shop has no order {order} of customer {customer}",
                    "fingerprint": f"{chance.randrange(FINGERPRINTS):016x}",
                    "occurred_at": ended_at,
                }
            )
        return outline.model_copy(
            update={
                "failure_id": failure.failure_id if failure else None,
                "trace_id": trace_id,
                "run_id": run_id,
                "input": {"question": f"Where is my order {order}?", "customer": customer},
                "failure": failure,
                "started_at": began,
                "ended_at": ended_at,
            }
        )

    @cached_property
    def _outlines(self) -> dict[tuple[str, FailureType | None], TraceRecord]:
        """One for each subject and way of ending; a copy of one must survive failtrace's codec unchanged."""
        made = {
            (subject, kind): story.outline(subject, kind, END - SPAN)
            for subject in story.SUBJECTS
            for kind in (None, *_FAILURE_TYPES)
        }
        for record in made.values():
            if decode_record(encode_record(record)) != record:
                raise AssertionError("an outline is no valid record")
        return made


def populated(size: int) -> Path:
    """A home folder whose mirror holds `size` executions, one in ten a failure; made once and kept in `.bench/`."""
    home = CACHE / f"population-{size}-{_version()}"
    if not home.exists():
        making = CACHE / f"{home.name}.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        start = time.monotonic()
        with Mirror.open(making / "mirror.sqlite") as mirror:
            Population(size).fill(mirror)
        making.rename(home)
        print(f"filled a mirror with {size:,} executions in {time.monotonic() - start:.0f} s", flush=True)
    return home


def _version() -> str:
    """Changes with the records and with the shape of the tables; after another change, delete `.bench/`."""
    sources = (__file__, story.__file__, migrations.__file__)
    return hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()[:8]


def _uuid7(moment: datetime, chance: random.Random) -> str:
    """A UUIDv7 of that moment."""
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""What does this installation catch? The hostile subjects, run beside healthy ones, each shown as caught or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass

from failtrace.capture.redaction import follow
from failtrace.contracts import TraceRecord
from failtrace.detection.run import execute
from failtrace.errors import ExecutionError, FailtraceError
from failtrace.execution.family import can_tell_families, children, descendants
from failtrace.execution.forkserver import forkserver
from failtrace.execution.process import ProcessExecutor
from failtrace.settings import Settings
from failtrace.storage.trace_store import TraceStore
from failtrace.subjects.hostile import HEALTHY, HOSTILE, Hostile
from failtrace.subjects.limits import LIMITS_NOT_ENFORCED
from failtrace.wording import count_of

AT_ONCE = 4
SIBLINGS = 2
"""Healthy subjects that run all the while, one after another in each of so many threads."""
GRACE_S = 1.0
"""Beyond its limit, until the record of what was ended for it is there."""
MAX_SEEN = 200
HOST = "host"


@dataclass(frozen=True, slots=True)
class Caught:
    """What became of one hostile subject; of the siblings beside them all; of the program that ran them."""

    name: str
    title: str
    caught: bool
    expected: str
    seen: str
    """What the record says, or what was wrong with it."""
    failure_id: str | None
    """Opens the record; None where nothing failed or the record was not stored."""
    elapsed_s: float
    limit_s: float | None = None
    """When a subject must have ended, give or take the grace; None for what is beside them."""

    @property
    def told(self) -> str:
        """What was expected and what was seen: that a subject returned says little by itself."""
        return f"{'As expected' if self.caught else 'Expected'}: {self.expected}. Seen: {self.seen}"


def run_hostile(store: TraceStore | None = None) -> Iterator[Caught]:
    """Run every hostile subject, four at once; one Caught for each as it ends, then for the siblings and the host.

    With a store the records of the hostile subjects are stored at the end. For a process of its own, like `failtrace
    doctor`: what it compares (descriptors, threads, directory, environment) other threads could change meanwhile.
    Raises StoreError where the store takes nothing.
    """
    settings = Settings.load()
    follow(settings)
    kept: list[TraceRecord] | None = None if store is None else []
    siblings = _Siblings(settings, alone=_warm_up(settings))
    host = _Host.now()
    began = time.monotonic()
    with siblings, ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(_catch, hostile, settings, kept) for hostile in HOSTILE]
        for ended in as_completed(running):
            yield ended.result()
    elapsed_s = time.monotonic() - began
    yield siblings.caught(elapsed_s)
    yield host.caught(elapsed_s)
    if store is not None and kept is not None:
        # Not before: a store has files and threads of its own.
        store.store_traces(kept)


def run_hostile_apart() -> Generator[Caught]:
    """`failtrace doctor --hostile` in a process of its own, for a host that has other things to do at the same time.

    The host files who asked. Closed before its end, it ends that process. Raises ExecutionError where the process does
    not come to its end.
    """
    command = [sys.executable, "-m", "failtrace", "doctor", "--hostile", "--filed", "--json"]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and words, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    complete = False
    with process:
        try:
            for line in process.stdout or ():
                told = json.loads(line)
                complete = told.pop("type") == "caught" and told["name"] == HOST
                yield Caught(**told)
        finally:
            # Where nobody asks for the rest, it need not be found out.
            if not complete:
                process.terminate()
    if not complete or process.returncode not in (0, 1):
        raise ExecutionError(
            f"Cannot run the hostile subjects: their process ended with {process.returncode}; "
            "run `failtrace doctor --hostile` to see why."
        )


def summed_up(told: Sequence[Caught]) -> str:
    """All of them in a sentence; what was beside the subjects has no limit, and is no subject."""
    subjects = [caught for caught in told if caught.limit_s is not None]
    well = all(caught.caught for caught in told if caught.limit_s is None)
    beside = "nothing beside them was touched" if well else "what was beside them was touched"
    return f"{sum(caught.caught for caught in subjects)} of {len(subjects)} caught; {beside}."


def _catch(hostile: Hostile, settings: Settings, kept: list[TraceRecord] | None) -> Caught:
    began = time.monotonic()
    failure_id = None
    try:
        execution = execute(hostile.subject, hostile.input, ProcessExecutor(), settings)
    # An installation that cannot even run it has not caught it.
    except FailtraceError as error:
        elapsed_s, seen, wrong = time.monotonic() - began, "", str(error)
    else:
        elapsed_s = time.monotonic() - began
        execution.segment.discard()
        record = execution.record
        if kept is not None:
            kept.append(record)
            failure_id = record.failure_id
        seen = record.failure.message if record.failure else "The subject returned."
        seen = seen if len(seen) <= MAX_SEEN else f"{seen[:MAX_SEEN]}…"
        seen = _sentences(seen, hostile.expected.seen(record))
        wrong = _what_is_wrong(hostile, record, elapsed_s)
    return Caught(
        name=hostile.name,
        title=hostile.title,
        caught=not wrong,
        expected=hostile.expected.told,
        seen=_sentences(seen, wrong),
        failure_id=failure_id,
        elapsed_s=elapsed_s,
        limit_s=hostile.subject.timeout,
    )


def _sentences(first: str, second: str) -> str:
    """Both, where both are there; an exception's message seldom ends as a sentence does."""
    end = "" if not first or first.endswith((".", "…")) else "."
    return f"{first}{end} {second}".strip() if second else first


def _what_is_wrong(hostile: Hostile, record: TraceRecord, elapsed_s: float) -> str:
    """As a sentence; empty where all is as it should be."""
    unkept = record.attributes.get(LIMITS_NOT_ENFORCED)
    if isinstance(unkept, list):
        return f"This platform does not enforce {', '.join(map(str, unkept))}."
    if not hostile.expected.holds(record):
        return "That is not what was expected."
    limit_s = hostile.subject.timeout or 0.0
    return "" if elapsed_s <= limit_s + GRACE_S else f"It took {elapsed_s:.1f} s and its limit is {limit_s:g} s."


def _warm_up(settings: Settings) -> TraceRecord:
    """As many processes as will ever be needed at once: they stay for later executions, and are no trace of these.

    Gives the record of a healthy subject that had nobody beside it.
    """
    server = forkserver()
    for module in {hostile.subject.module for hostile in HOSTILE}:
        server.release(server.lease(module))
    for supervisor in [server.lease(HEALTHY.module) for _ in range(AT_ONCE + SIBLINGS)]:
        server.release(supervisor)
    execution = execute(HEALTHY, None, ProcessExecutor(), settings)
    execution.segment.discard()
    return execution.record


class _Siblings:
    """Healthy executions that go on while the hostile ones run."""

    def __init__(self, settings: Settings, *, alone: TraceRecord) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"sibling-{n}") for n in range(SIBLINGS)]
        self._records = [alone]
        self._problems: list[str] = []

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                execution = execute(HEALTHY, None, ProcessExecutor(), self._settings)
            except FailtraceError as error:
                self._problems.append(str(error))
                return
            execution.segment.discard()
            self._records.append(execution.record)

    def caught(self, elapsed_s: float) -> Caught:
        """Whether all of them passed, and found the same around themselves."""
        passed = [record for record in self._records if record.failure is None and len(record.steps) == 1]
        found = {json.dumps(record.output, sort_keys=True) for record in passed}
        ran = len(self._records)
        well = ran == len(passed) and len(found) == 1 and not self._problems
        wrong = self._problems + ([f"They found {len(found)} different surroundings."] if len(found) > 1 else [])
        seen = " ".join([f"{len(passed):,} of {count_of(ran, 'execution')} passed.", *wrong])
        return Caught(
            name="siblings",
            title="Healthy subjects beside them",
            caught=well,
            expected="all pass, and find the same around themselves",
            seen=seen,
            failure_id=None,
            elapsed_s=elapsed_s,
        )


@dataclass(frozen=True, slots=True)
class _Host:
    """What of this process a subject could have changed."""

    descriptors: frozenset[tuple[int, int, int]]
    """Number, device and inode; those that lead to failtrace's own processes left out."""
    threads: int
    directory: str
    umask: int
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def now(cls) -> _Host:
        """As it is."""
        os.umask(umask := os.umask(0o077))
        return cls(
            descriptors=frozenset(_open_files()),
            threads=threading.active_count(),
            directory=os.getcwd(),  # noqa: PTH109  as text, to be compared
            umask=umask,
            environment=tuple(sorted(os.environ.items())),
        )

    def caught(self, elapsed_s: float) -> Caught:
        """Whether everything is as it was, and no process is left."""
        before, after = asdict(self), asdict(_Host.now())
        changed = [name for name in before if before[name] != after[name]]
        left = _left_over()
        seen = f"Changed: {', '.join(changed)}." if changed else "Nothing changed."
        seen += f" {left} {'process' if left == 1 else 'processes'} left." if left is not None else ""
        if left is None:
            seen += " This platform does not tell whether processes are left."
        return Caught(
            name=HOST,
            title="The program that ran them",
            caught=not changed and not left,
            expected="descriptors, threads, directory, umask and environment as before, no process left",
            seen=seen,
            failure_id=None,
            elapsed_s=elapsed_s,
        )


def _open_files() -> Iterator[tuple[int, int, int]]:
    ours = forkserver().descriptors()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208  a number closes while a Path would look
        try:
            status = os.fstat(int(name))
        except OSError:
            continue
        if int(name) not in ours:
            yield int(name), status.st_dev, status.st_ino


def _left_over() -> int | None:
    """How many processes live below the supervisors, which wait for the next execution; None where nobody can tell."""
    if not can_tell_families():
        return None
    supervisors = [pid for template in children(os.getpid()) for pid in children(template)]
    return sum(len(descendants(pid)) for pid in supervisors)

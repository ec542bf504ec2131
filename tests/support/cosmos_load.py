"""Load on the way to Cosmos DB, and what is left of it after an outage, a kill or a storm: for tests and soaks."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import COMMIT_THEN_DROP, HANG, Request, refusal
from support.records import failure_id_of, make_record

from failtrace.mirror.mirror import Mirror
from failtrace.storage.trace_store import TraceStore

ROOT = Path(__file__).parents[2]
HEALED_S = 60.0
"""Within so many seconds of healing nothing may be left to deliver."""
_READY = threading.Event()


def answering(status: int, **headers: str) -> Callable[[Cosmos], AbstractContextManager[None]]:
    """Every request about items is answered so."""

    def begin(cosmos: Cosmos) -> AbstractContextManager[None]:
        return cosmos.proxy.failing(
            lambda request: refusal(status, "for a test", **headers) if request.is_item else None
        )

    return begin


@contextmanager
def frozen(cosmos: Cosmos) -> Iterator[None]:
    """The server's process is stopped."""
    assert cosmos.server is not None
    cosmos.server.freeze()
    try:
        yield
    finally:
        cosmos.server.thaw()


def half_refused(cosmos: Cosmos) -> AbstractContextManager[None]:
    """A storm of 429, with what Azure says about when to come again; one in ten passes."""
    chance = random.Random(7)

    def storm(request: Request) -> Any:
        if not request.is_item or chance.random() < 0.1:
            return None
        return refusal(429, "Request rate is large", **{"x-ms-retry-after-ms": "50"})

    return cosmos.proxy.failing(storm)


def commits_unheard(cosmos: Cosmos) -> AbstractContextManager[None]:
    """Every item is stored, and no answer arrives."""
    return cosmos.proxy.failing(lambda request: COMMIT_THEN_DROP if request.is_create else None)


OUTAGES: dict[str, Callable[[Cosmos], AbstractContextManager[None]]] = {
    "refused": lambda cosmos: cosmos.proxy.refusing(),
    "hangs": lambda cosmos: cosmos.proxy.failing(lambda _: HANG),
    "429": half_refused,
    "500": answering(500),
    "503": answering(503),
    "commit then drop": commits_unheard,
    "stopped": frozen,
}


def outage(cosmos: Cosmos, name: str, *, records: int, seconds: float) -> dict[str, float]:
    """Store `records` over `seconds` while it lasts; raises AssertionError where one is lost, twice, or late.

    Gives milliseconds: the 99th percentile of `store_trace` in calm and in the outage, and the seconds to drain.
    """
    with TraceStore.open("cosmos", settings=cosmos.settings()) as store:
        calm = _store(store, range(records), pause=seconds / records / 4)
        assert store.flush(HEALED_S).pending == 0
        with OUTAGES[name](cosmos):
            hard = _store(store, range(records, 2 * records), pause=seconds / records)
        start = time.monotonic()
        flushed = store.flush(HEALED_S)
        drained = time.monotonic() - start
        assert flushed.pending == 0, store.mirror.outbox.status()
        assert store.mirror.outbox.status().dead == 0
    exactly_once(cosmos, range(2 * records))
    return {"calm_p99_ms": _p99(calm), "hard_p99_ms": _p99(hard), "drained_s": drained}


def exactly_once(cosmos: Cosmos, numbers: range) -> None:
    """The container holds these failures, each once, and nothing else."""
    found = Counter(item["id"] for item in cosmos.items())
    assert found == Counter(failure_id_of(number) for number in numbers)


_ONE = """
import sys
sys.path.insert(0, "tests")
from support.records import make_record
from failtrace import TraceStore
store = TraceStore.open("cosmos")
for number in map(int, sys.argv[1:]):
    store.store_trace(make_record(number=number))
print(store.flush(60.0).pending)
store.close()
"""


def kill_relays(cosmos: Cosmos, home: Path, *, kills: int) -> None:
    """`kill -9` of the process between Cosmos DB's commit and our mark, each time; then one that lives."""
    victim: list[int] = []

    def strike(_: Request) -> None:
        for pid in victim:
            os.kill(pid, signal.SIGKILL)

    cosmos.proxy.after_create = strike
    for number in range(kills):
        process = python(cosmos, home, _ONE, number, stdout=subprocess.PIPE)
        victim[:] = [process.pid]
        assert process.wait(120) == -signal.SIGKILL
        victim.clear()
        process.communicate()
    cosmos.proxy.after_create = None
    done = python(cosmos, home, _ONE, kills, stdout=subprocess.PIPE)
    assert done.communicate(timeout=120)[0].split() == [b"0"]
    exactly_once(cosmos, range(kills + 1))
    with Mirror.open(home / "mirror.sqlite") as mirror:
        assert mirror.outbox.pending() == 0
        assert mirror.outbox.status().dead == 0


_DASHBOARD = """
import sys
from failtrace.services import open_services
from failtrace.mirror.views import FailureFilter
services = open_services()
services.store.start_delivery(sync=True)
print("ready", flush=True)
for line in sys.stdin:
    mirror = services.store.mirror
    mirror.overview(); mirror.failures(FailureFilter(), limit=50); mirror.outbox.status()
    print("looked", flush=True)
services.close()
"""


def storm(cosmos: Cosmos, home: Path, *, writers: int, records: int) -> float:
    """Writers, their relays and two dashboards on one mirror; the lease's holder is killed once at the end.

    Gives the seconds until another held it.
    """
    dashboards = [
        python(cosmos, home, _DASHBOARD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) for _ in range(2)
    ]
    try:
        for dashboard in dashboards:
            assert dashboard.stdout is not None
            assert dashboard.stdout.readline() == b"ready\n"
        processes = [
            python(
                cosmos,
                home,
                _ONE,
                *range(n * records, (n + 1) * records),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for n in range(writers)
        ]
        while any(process.poll() is None for process in processes):
            for dashboard in dashboards:
                _look(dashboard)
        for process in processes:
            _, errors = process.communicate()
            assert (process.returncode, errors) == (0, b"")
        exactly_once(cosmos, range(writers * records))
        return _takeover(home, dashboards)
    finally:
        for dashboard in dashboards:
            dashboard.kill()
            dashboard.communicate()


def _takeover(home: Path, dashboards: list[subprocess.Popen[bytes]]) -> float:
    pids = {dashboard.pid for dashboard in dashboards}
    with Mirror.open(home / "mirror.sqlite") as mirror:
        holder = _until(lambda: (held := mirror.outbox.status().holder) and held.pid in pids and held, 40)
        os.kill(holder.pid, signal.SIGKILL)
        start = time.monotonic()
        _until(lambda: (held := mirror.outbox.status().holder) and held.pid != holder.pid, 30)
        return time.monotonic() - start


def _look(dashboard: subprocess.Popen[bytes]) -> None:
    assert dashboard.stdin is not None
    assert dashboard.stdout is not None
    dashboard.stdin.write(b"look\n")
    assert dashboard.stdout.readline() == b"looked\n"


def poison(cosmos: Cosmos, *, records: int) -> None:
    """Two records that are refused for ever among others: those arrive, these are seen."""
    bad = {failure_id_of(3): 400, failure_id_of(7): 413}

    def fault(request: Request) -> Any:
        return refusal(bad[request.item_id], "never") if request.is_create and request.item_id in bad else None

    with TraceStore.open("cosmos", settings=cosmos.settings()) as store, cosmos.proxy.failing(fault):
        store.store_traces([make_record(number=number) for number in range(records + 2)])
        assert store.flush(HEALED_S).delivered == records
        letters = store.mirror.outbox.dead_letters().rows
        assert {letter.failure_id: letter.status for letter in letters} == bad
        assert store.get_trace(failure_id_of(3)) == make_record(number=3)
    assert len(cosmos.items()) == records


def refused_then_repaired(cosmos: Cosmos, *, records: int, status: int) -> None:
    """Credentials are refused for a while: it pauses and says so, and goes on by itself when they are good again."""
    with TraceStore.open("cosmos", settings=cosmos.settings()) as store:
        outbox = store.mirror.outbox
        with cosmos.proxy.failing(lambda _: refusal(status, "not allowed")):
            store.store_traces([make_record(number=number) for number in range(records)])
            told = _until(lambda: outbox.status().paused, 30)
            assert "COSMOS_" in told
            assert outbox.pending() == records
        _until(lambda: outbox.pending() == 0, HEALED_S)
        assert outbox.status().paused is None
    exactly_once(cosmos, range(records))


def killed_syncs(cosmos: Cosmos, tmp_path: Path, *, writers: int, records: int, kills: int) -> None:
    """Machines of their own write; one that syncs is killed at random moments: in the end it holds what they hold."""
    for writer in range(writers):
        with TraceStore.open("cosmos", settings=cosmos.settings(home=tmp_path / f"writer-{writer}")) as store:
            numbers = range(writer * records, (writer + 1) * records)
            store.store_traces([make_record(number=number) for number in numbers])
            assert store.flush(HEALED_S + records / 20).pending == 0
    chance = random.Random(11)
    home = tmp_path / "reader"
    for _ in range(kills):
        process = failtrace(cosmos, home, "sync", "--json")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.5, 2.5))
        process.kill()
        process.communicate()
    done = failtrace(cosmos, home, "sync", "--json", stdout=subprocess.PIPE)
    told = json.loads(done.communicate(timeout=300)[0])
    assert (told["unreadable"], told["pending"]) == (0, 0)
    with Mirror.open(home / "mirror.sqlite") as mirror:
        for number in range(writers * records):
            with Mirror.open(tmp_path / f"writer-{number // records}" / "mirror.sqlite") as theirs:
                assert mirror.record(failure_id_of(number)) == theirs.record(failure_id_of(number))
        assert mirror.overview().failures == writers * records
        assert mirror.outbox.pending() == 0


def python(cosmos: Cosmos, home: Path, code: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """A process of ours on that container and home."""
    environment = {**os.environ, **cosmos.environment, "FAILTRACE_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment, cwd=ROOT, **options)


def failtrace(cosmos: Cosmos, home: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **cosmos.environment, "FAILTRACE_HOME": str(home)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    return subprocess.Popen([sys.executable, "-m", "failtrace", *arguments], env=environment, cwd=ROOT, **quiet)


def _store(store: TraceStore, numbers: range, pause: float) -> list[float]:
    """Seconds that each `store_trace` took; `pause` between them is the load's pace."""
    took = []
    for number in numbers:
        record = make_record(number=number)
        start = time.perf_counter()
        store.store_trace(record)
        took.append(time.perf_counter() - start)
        _READY.wait(pause)
    return took


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1000


def _until(condition: Callable[[], Any], seconds: float) -> Any:
    """What the condition gives once it gives something; AssertionError where it does not in time."""
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, "it did not come about in time"
        _READY.wait(0.02)
    return found

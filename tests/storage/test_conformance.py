"""What every TraceBackend must do: one suite for all of them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.records import failure_id_of, make_record

from failtrace.codec import encode_record
from failtrace.storage.backend import TraceBackend
from failtrace.storage.memory import MemoryBackend

IMPLEMENTATIONS: dict[str, Callable[[pytest.FixtureRequest], TraceBackend]] = {
    "memory": lambda _: MemoryBackend(),
    "cosmos": lambda request: request.getfixturevalue("cosmos").backend(),
}


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def backend(request: pytest.FixtureRequest) -> Iterator[TraceBackend]:
    opened: TraceBackend = request.param(request)
    yield opened
    opened.close()


def body(number: int, words: str = "") -> bytes:
    """An encoded failure of that number."""
    return encode_record(make_record(number=number, input=words))


def test_bytes_come_back_as_they_went_in(backend: TraceBackend) -> None:
    """Each id gives its own bytes, unchanged, whatever they are."""
    bodies = {failure_id_of(n): body(n, "é\u2028\x00" * n) for n in range(1, 5)}

    backend.put(list(bodies.items()))

    assert {failure_id: backend.get(failure_id) for failure_id in bodies} == bodies


def test_an_unknown_id_is_none(backend: TraceBackend) -> None:
    """No text is an error, and none finds what it does not name."""
    backend.put([(failure_id_of(1), body(1))])

    for unknown in ("", "../x", "' OR 1=1 --", "\x00", "\ud800", failure_id_of(2), "a" * 100_000):
        assert backend.get(unknown) is None


def test_a_record_never_changes(backend: TraceBackend) -> None:
    """The first bytes of an id stay, within one put and over several, and are counted once."""
    first, second, third = (body(1, words) for words in ("first", "second", "third"))
    backend.put([(failure_id_of(1), first), (failure_id_of(1), second)])
    backend.put([(failure_id_of(1), third)])

    assert backend.get(failure_id_of(1)) == first
    assert backend.health().records in (1, None)


def test_nothing_to_put_is_fine(backend: TraceBackend) -> None:
    """An empty batch changes nothing."""
    backend.put([])

    assert backend.health().records in (0, None)


def test_health_names_the_backend(backend: TraceBackend) -> None:
    """Health says who it is, whether it answers, and something a person can read."""
    health = backend.health()

    assert health.name == backend.name
    assert health.reachable
    assert health.detail.endswith(".")


def test_threads_may_share_it(backend: TraceBackend) -> None:
    """Records put by many threads at once are all there, each whole."""
    started = threading.Barrier(8)

    def put(worker: int) -> None:
        started.wait()
        for n in range(20):
            backend.put([(failure_id_of(worker * 100 + n), body(worker * 100 + n))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))

    ids = [worker * 100 + n for worker in range(8) for n in range(20)]
    assert [backend.get(failure_id_of(n)) for n in ids] == [body(n) for n in ids]


def test_closing_twice_is_fine(backend: TraceBackend) -> None:
    """A store is closed by whoever comes last, and by those before."""
    backend.close()
    backend.close()

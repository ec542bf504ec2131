"""The bounds of the memory backend."""

from support.records import failure_id_of

from failtrace.storage.memory import MemoryBackend


def held(backend: MemoryBackend, numbers: range) -> list[int]:
    return [n for n in numbers if backend.get(failure_id_of(n)) is not None]


def test_the_newest_records_stay() -> None:
    """Beyond its number of records, the oldest go, and health says how many."""
    backend = MemoryBackend(records_most=3)
    for n in range(5):
        backend.put([(failure_id_of(n), b"x")])

    assert held(backend, range(5)) == [2, 3, 4]
    assert "holds 3 failures; 2 older ones" in backend.health().detail


def test_the_bytes_are_bounded() -> None:
    """A record that does not fit at all is not kept either: the mirror has it."""
    backend = MemoryBackend(bytes_most=10)
    backend.put([(failure_id_of(n), b"1234") for n in range(3)])
    assert held(backend, range(3)) == [1, 2]
    assert backend.health().bytes == 8

    backend.put([(failure_id_of(3), b"x" * 11)])
    assert held(backend, range(4)) == []
    assert backend.health().bytes == 0

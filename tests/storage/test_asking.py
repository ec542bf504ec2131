"""How a lookup asks a store that is slow, or hangs, or that no thread can be had for."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.records import failure_id_of, item, make_record

from failtrace.errors import NoAnswer
from failtrace.mirror.mirror import Mirror
from failtrace.storage.backend import BackendHealth
from failtrace.storage.lookup import MOST_ASKED, Lookup

Get = Callable[[str], bytes | None]


class Remote:
    """In place of Cosmos DB, since who waits for it is what is tested: test_lookup.py has the real one."""

    name = "cosmos"
    remote = True

    def __init__(self, get: Get) -> None:
        self.get = get

    def put(self, records: object) -> None:
        raise AssertionError("only `get` is asked for here")

    def health(self) -> BackendHealth:
        raise AssertionError("only `get` is asked for here")

    def close(self) -> None:
        """Holds nothing open."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(tmp_path / "mirror.sqlite") as opened:
        opened.write([item(make_record(number=1))])
        yield opened


@pytest.fixture
def answered() -> Iterator[threading.Event]:
    """Set at the end, so that no thread hangs any longer."""
    event = threading.Event()
    yield event
    event.set()


def test_the_second_question_waits_no_longer_than_the_first(mirror: Mirror, answered: threading.Event) -> None:
    """Where the mirror has the record, a store that misses it and then hangs does not cost the caller's patience."""
    asked: list[str] = []

    def get(failure_id: str) -> None:
        asked.append(failure_id)
        if len(asked) > 1:
            answered.wait(10.0)

    found = Lookup(mirror, Remote(get), None).find(failure_id_of(1), patience_s=60.0)

    assert len(asked) == 2
    assert found is not None
    assert (found.source, "did not answer in time" in found.note) == ("mirror", True)


def hang(lookup: Lookup, count: int) -> None:
    for number in range(count):
        with pytest.raises(NoAnswer, match="did not answer in time"):
            lookup.find(f"x{number}", patience_s=0.0)


def test_questions_that_hang_are_so_many_at_most(mirror: Mirror, answered: threading.Event) -> None:
    """The one behind them is refused and starts no thread; what is in the mirror is answered all the same."""
    asked: list[str] = []

    def get(failure_id: str) -> None:
        asked.append(failure_id)
        answered.wait()

    lookup = Lookup(mirror, Remote(get), None)
    hang(lookup, MOST_ASKED)

    with pytest.raises(NoAnswer, match="earlier questions"):
        lookup.find("one more")
    found = lookup.find(failure_id_of(1))
    assert found is not None
    assert (found.source, "earlier questions" in found.note) == ("mirror", True)
    assert "one more" not in asked


def test_a_forked_child_asks_though_its_parents_questions_hang(mirror: Mirror, answered: threading.Event) -> None:
    """The threads that would give the slots back are the parent's."""
    parent = os.getpid()
    lookup = Lookup(mirror, Remote(lambda _: answered.wait() and None if os.getpid() == parent else None), None)
    hang(lookup, MOST_ASKED)

    child = os.fork()
    if not child:
        try:
            os._exit(0 if lookup.find("nobody's", patience_s=30.0) is None else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_thread_that_cannot_be_had_costs_no_slot(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirror answers meanwhile, however often, and the store does again once there are threads."""

    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lookup = Lookup(mirror, Remote(lambda _: None), None)
    with monkeypatch.context() as patch:
        # A real system that gives no thread would give none to pytest either.
        patch.setattr(threading.Thread, "start", none)
        for _ in range(MOST_ASKED + 1):
            found = lookup.find(failure_id_of(1))
            assert found is not None
            assert "lack of a thread" in found.note

    assert lookup.find("nobody's") is None

"""A watched call is made again by Python that can be pasted as it stands."""

from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.records import make_record
from support.watched import program, recorded

from failtrace.analysis.watched import is_watched
from failtrace.contracts import SubjectInfo, TraceRecord
from failtrace.exchange.account import account
from failtrace.exchange.rerun import rerun

SHOP = """
from failtrace import watch

@watch
def divide(a, b=1, **more):
    return a / b

class Cart:
    @watch
    @staticmethod
    def total(prices):
        return sum(prices) / len(prices)

    @watch
    def add(self, price):
        return price["net"]
"""


def code_of(markdown: str) -> str:
    return next(token.content for token in MarkdownIt("commonmark").parse(markdown) if token.info == "python")


def watched_record(source: str = "shop:divide", **changes: Any) -> TraceRecord:
    record = make_record(number=1, run_id=None, input={"args": [4], "kwargs": {"b": 0}}, **changes)
    return record.model_copy(
        update={
            "subject": SubjectInfo(name="mine", version=None, source=source),
            "environment": record.environment.model_copy(update={"isolation": "inline"}),
        }
    )


@pytest.mark.parametrize(
    "call",
    [
        "divide(4, b=0)",
        """divide(1, 0, note="it's `W`\\n$HOME é\\u202e", on=None, off=[True, 1.5])""",
        "divide(1, 0, text='x ' * 500)",
        "Cart.total([])",
    ],
    ids=["named", "quotes", "long", "of-a-class"],
)
def test_the_python_makes_the_same_call(tmp_path: Path, clean_environment: Path, call: str) -> None:
    """Run in the project's folder it must give the same failure on the same input, whatever that is."""
    del clean_environment
    (tmp_path / "shop.py").write_text(SHOP)
    program(tmp_path, f"from shop import Cart, divide\n{call}")
    [first] = recorded()

    ended = program(tmp_path, code_of(account(first)))

    assert ended.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    both = recorded()
    assert [record.input for record in both] == [first.input] * 2
    assert [record.failure and record.failure.fingerprint for record in both] == [
        first.failure and first.failure.fingerprint
    ] * 2


def test_a_method_is_told_with_the_object_it_needs(tmp_path: Path, clean_environment: Path) -> None:
    """The object a method was called on is no JSON: that it has to be put back must be said."""
    del clean_environment
    (tmp_path / "shop.py").write_text(SHOP)
    program(tmp_path, "from shop import Cart\nCart().add({})")
    [record] = recorded()

    told = rerun(record)

    assert "from shop import Cart\n\nCart.add(*[{'$failtrace': 'object'" in told
    assert "the first value is the object it was called on" in told
    assert "put the values back first" in told


@pytest.mark.parametrize(
    "source",
    ["__main__:divide", "shop:make.<locals>.divide", "shop:<lambda>", "shop:Cart.__add", "my-shop:divide", "shop:"],
)
def test_what_nothing_can_import_is_said_to_be_so(source: str) -> None:
    """No code is shown that would fail at its first line."""
    told = rerun(watched_record(source))

    assert "```" not in told
    assert told.startswith("Nothing can import this watched function by its source")


def test_only_a_call_seen_inline_without_a_run_is_a_watched_one() -> None:
    """A subject may be given a dict of the same keys: a run of it keeps its command."""
    watched = watched_record()

    assert is_watched(watched)
    assert is_watched(watched.model_copy(update={"input": {"args": [], "$failtrace": {"$failtrace": "cut"}}}))
    assert not is_watched(watched.model_copy(update={"run_id": "run-1"}))
    assert not is_watched(watched.model_copy(update={"input": {"args": [], "kwargs": {}, "b": 1}}))
    assert not is_watched(watched.model_copy(update={"input": {"args": []}}))
    assert not is_watched(make_record(number=1, run_id=None, input={"args": [], "kwargs": {}}))
